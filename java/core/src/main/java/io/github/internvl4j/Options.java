package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.Image;
import java.util.List;
import java.util.Objects;

/** Checks of arguments with one wording. */
final class Options {
    private Options() {}

    static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new InvalidOptionException(name + " is " + value + ", expected " + range);
        }
    }

    /** An immutable copy; a null, in place of the list or in it, is named. */
    static <T> List<T> copy(List<T> values, String name) {
        Objects.requireNonNull(values, name);
        for (int i = 0; i < values.size(); i++) {
            int at = i;
            Objects.requireNonNull(values.get(i), () -> name + "[" + at + "]");
        }
        return List.copyOf(values);
    }

    /** An immutable copy of image entries. */
    static List<List<Image>> entries(List<List<Image>> values) {
        return copy(values, "images").stream()
                .map(entry -> copy(entry, "an entry of images"))
                .toList();
    }
}
