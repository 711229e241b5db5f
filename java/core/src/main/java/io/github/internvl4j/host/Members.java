package io.github.internvl4j.host;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a value is made of, by name: gives classes that are no records the equality and the text that records have. */
public final class Members {
    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    private Members() {}

    /** The first one. */
    public static Members of(String name, @Nullable Object value) {
        return new Members().and(name, value);
    }

    /** The next one. */
    public Members and(String name, @Nullable Object value) {
        values.put(name, value);
        return this;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Members that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** As a record writes them: {@code [name=value, name=value]}. */
    @Override
    public String toString() {
        return values.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(", ", "[", "]"));
    }
}
