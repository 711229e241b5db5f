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
        double patches = (double) Picture.GRID * Picture.GRID;
        double inputs = (double) Picture.CHANNELS * Picture.PATCH * Picture.PATCH;
        return new Work(
                2 * patches * inputs * Picture.WIDTH,
                ACTIVATION_BYTES * (inputs * Picture.WIDTH + patches * inputs + patches * Picture.WIDTH));
    }

    static Work ofAttention() {
        double tokens = Picture.TOKENS;
        return new Work(4 * tokens * tokens * Picture.WIDTH, 4 * tokens * Picture.WIDTH * ACTIVATION_BYTES);
    }
}
