package io.github.internvl4j.bench.gpu;

import io.github.internvl4j.runtime.KernelBenchmark;

/** The linear layers of InternVL-Chat-V1-2, those that share an input stacked, as the model multiplies them. */
public enum LinearLayer {
    /** Queries, keys and values of the decoder: 56 + 2 * 8 heads of 128. */
    QKV("qkv", 7168, 9216),
    O("o", 7168, 7168),
    GATE_UP("gate, up", 7168, 2 * 20480),
    DOWN("down", 20480, 7168),
    LM_HEAD("lm_head", 7168, 64009),
    VIT_QKV("InternViT qkv", 3200, 3 * 3200),
    VIT_PROJ("InternViT proj", 3200, 3200),
    VIT_FC1("InternViT fc1", 3200, 12800),
    VIT_FC2("InternViT fc2", 12800, 3200);

    /** Weights together at least as large as this are in no GPU's cache when their turn comes again. */
    private static final long PAST_ANY_CACHE = 512L << 20;

    private static final int MOST_COPIES = 64;

    private final String label;
    private final int inputs;
    private final int outputs;

    LinearLayer(String label, int inputs, int outputs) {
        this.label = label;
        this.inputs = inputs;
        this.outputs = outputs;
    }

    public String label() {
        return label;
    }

    public int inputs() {
        return inputs;
    }

    public int outputs() {
        return outputs;
    }

    /** Logits are f32. */
    public boolean f32Out() {
        return this == LM_HEAD;
    }

    public long weightBytes(DataType type) {
        return (long) inputs * outputs * type.bytes();
    }

    /** How many of the weights take turns, so that every product reads them from memory as it does among a model's layers. */
    public int copies(DataType type) {
        return (int) Math.min(MOST_COPIES, Math.max(2, PAST_ANY_CACHE / weightBytes(type) + 1));
    }

    /** Our product of so many rows. */
    public KernelBenchmark ours(int rows, DataType type, String device) {
        return new KernelBenchmark(spec(rows, type, device, copies(type)), 0);
    }

    String spec(int rows, DataType type, String device, int copies) {
        return ("{\"op\": \"matmul\", \"m\": %d, \"n\": %d, \"k\": %d, \"dtype\": \"%s\", \"out\": \"%s\", \"copies\": %d,"
                        + " \"device\": \"%s\"}")
                .formatted(rows, outputs, inputs, type.label(), f32Out() ? "f32" : "", copies, device);
    }
}
