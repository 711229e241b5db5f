package io.github.internvl4j.bench.peers;

import io.github.internvl4j.Precision;
import io.github.internvl4j.runtime.Factors;

/**
 * One of the two that take turns.
 *
 * @param format of the weights
 * @param variant what else tells this way of asking the engine from another, such as flash attention; or empty
 */
record Side(Engine engine, Format format, String variant) {
    /** Activations are rounded to bf16 before they are multiplied with bf16 weights, by ours and oneDNN only if asked. */
    static final String BF16_ACTIVATIONS = "bf16 activations";

    static Side ours(Format format) {
        return new Side(Engine.INTERNVL4J, format, "");
    }

    static Side oursWithBf16Activations() {
        return new Side(Engine.INTERNVL4J, Format.BF16, BF16_ACTIVATIONS);
    }

    /** Of the variants of one peer and format the best counts. */
    String label() {
        return engine + " " + format;
    }

    /** The format, and the variant if there is one. */
    String way() {
        return variant.isEmpty() ? format.toString() : format + ", " + variant;
    }

    /** With all that tells it from others. */
    String description() {
        return engine + " " + way();
    }

    /** Of ours. */
    Precision precision() {
        return Precision.valueOf(format.name());
    }

    boolean hasBf16Activations() {
        return variant.equals(BF16_ACTIVATIONS);
    }

    /** What its products multiply, and so which peak of the processor's limits them. */
    Factors factors() {
        return switch (engine) {
            case INTERNVL4J -> Factors.of(precision(), hasBf16Activations());
            case ONEDNN -> factors(hasBf16Activations());
            case PYTORCH, LLAMA_CPP -> factors(format == Format.BF16);
            // It interleaves 16-bit weights of either kind as bf16.
            case IK_LLAMA_CPP -> factors(format == Format.BF16 || format == Format.F16);
        };
    }

    private Factors factors(boolean bf16) {
        return switch (format) {
            case INT8, Q8_0 -> Factors.INT8;
            case F32, BF16, F16 -> bf16 ? Factors.BF16 : Factors.F32;
        };
    }
}
