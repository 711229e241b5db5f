package io.github.internvl4j.bench.gpu;

/**
 * What an operation must do at least, whoever does it.
 *
 * @param operations a multiply-add counts as two
 * @param bytes read and written once
 */
record Work(double operations, double bytes) {
    private static final int ACTIVATION_BYTES = Short.BYTES;

    static Work of(LinearLayer layer, int rows, DataType type) {
        double outputBytes = layer.f32Out() ? Float.BYTES : ACTIVATION_BYTES;
        return new Work(
                2.0 * rows * layer.inputs() * layer.outputs(),
                layer.weightBytes(type) + rows * ((double) layer.inputs() * ACTIVATION_BYTES + layer.outputs() * outputBytes));
    }

    static Work ofPatches() {
        double patches = (double) Image.GRID * Image.GRID;
        double inputs = (double) Image.CHANNELS * Image.PATCH * Image.PATCH;
        return new Work(
                2 * patches * inputs * Image.WIDTH,
                ACTIVATION_BYTES * (inputs * Image.WIDTH + patches * inputs + patches * Image.WIDTH));
    }

    static Work ofAttention() {
        double tokens = Image.TOKENS;
        return new Work(4 * tokens * tokens * Image.WIDTH, 4 * tokens * Image.WIDTH * ACTIVATION_BYTES);
    }
}
