package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** How an engine keeps the weights of its products. */
enum Format {
    F32(32),
    BF16(16),
    F16(16),
    /** A scale for each row. */
    INT8(8),
    /** GGML's: a scale in f16 for each 32 values. */
    Q8_0(8.5);

    private final double bitsPerWeight;

    Format(double bitsPerWeight) {
        this.bitsPerWeight = bitsPerWeight;
    }

    double bitsPerWeight() {
        return bitsPerWeight;
    }

    @JsonValue
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
