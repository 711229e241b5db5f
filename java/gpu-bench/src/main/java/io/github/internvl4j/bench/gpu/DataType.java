package io.github.internvl4j.bench.gpu;

import java.util.Locale;

/** What weights are stored in. */
public enum DataType {
    BF16(2),
    INT8(1);

    private final int bytes;

    DataType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    /** As a benchmark's specification has it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
