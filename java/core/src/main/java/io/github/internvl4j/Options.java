package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;

/** Range checks with one wording. */
final class Options {
    private Options() {}

    static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new InvalidOptionException(name + " is " + value + ", expected " + range);
        }
    }
}
