package io.github.internvl4j.bench.gpu;

import io.github.internvl4j.runtime.KernelBenchmark;

/** What InternViT-6B-448px makes of one image: its patches, and the attention of one layer. */
final class Image {
    static final int CHANNELS = 3;
    static final int SIDE = 448;
    static final int PATCH = 14;
    static final int GRID = SIDE / PATCH;
    static final int WIDTH = 3200;
    static final int TOKENS = 1 + GRID * GRID;
    static final int HEADS = 25;
    static final int HEAD_DIM = WIDTH / HEADS;

    private Image() {}

    static KernelBenchmark ourPatches(String device) {
        return new KernelBenchmark(
                ("{\"op\": \"patch_embed\", \"images\": 1, \"channels\": %d, \"image_size\": %d, \"patch\": %d, \"n\": %d,"
                                + " \"dtype\": \"bf16\", \"device\": \"%s\"}")
                        .formatted(CHANNELS, SIDE, PATCH, WIDTH, device),
                0);
    }

    static KernelBenchmark ourAttention(String device) {
        return new KernelBenchmark(
                ("{\"op\": \"vision_attention\", \"tokens\": %d, \"heads\": %d, \"head_dim\": %d, \"dtype\": \"bf16\","
                                + " \"device\": \"%s\"}")
                        .formatted(TOKENS, HEADS, HEAD_DIM, device),
                0);
    }
}
