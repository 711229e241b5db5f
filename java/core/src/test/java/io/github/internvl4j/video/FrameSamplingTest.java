package io.github.internvl4j.video;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FrameSamplingTest {
    /** The table of scripts/goldens/make_video_goldens.py. */
    @Test
    void equalsTheCard() throws IOException {
        List<String> lines;
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(FrameSamplingTest.class.getResourceAsStream("/video/frame-sampling.tsv")),
                StandardCharsets.UTF_8))) {
            lines = in.lines().toList();
        }
        assertEquals(400, lines.size());
        for (String line : lines) {
            String[] fields = line.split("\t");
            long[] wanted = Arrays.stream(fields[6].split(","))
                    .mapToLong(Long::parseLong)
                    .toArray();
            long[] indices = FrameSampling.indices(
                    seconds(fields[0]),
                    seconds(fields[1]),
                    Double.parseDouble(fields[2]),
                    Long.parseLong(fields[3]),
                    Long.parseLong(fields[4]),
                    Integer.parseInt(fields[5]));
            assertArrayEquals(wanted, indices, line);
        }
    }

    private static @Nullable Double seconds(String field) {
        return field.equals("-") ? null : Double.valueOf(field);
    }

    @Property
    void framesOfAWholeVideoExistAndDoNotFall(
            @ForAll @DoubleRange(min = 0.1, max = 240) double fps,
            @ForAll @LongRange(min = 0, max = 100_000) long last,
            @ForAll @IntRange(min = 1, max = 500) int segments) {
        long[] indices = FrameSampling.indices(null, null, fps, last, 0, segments);
        assertEquals(segments, indices.length);
        long before = 0;
        for (long index : indices) {
            assertTrue(index >= before && index <= Math.min(last, Math.round(100_000 * fps)));
            before = index;
        }
    }

    @Test
    void refusesNonsense() {
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(null, null, 25, 9, 0, 0));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(null, null, 25, 9, 0, -1));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(null, null, 25, 9, 0, 1 << 30));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(null, null, 0, 9, 0, 1));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(null, null, Double.NaN, 9, 0, 1));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(0.0, null, 25, 9, 0, 1));
        assertThrows(InvalidOptionException.class, () -> FrameSampling.indices(0.0, Double.NaN, 25, 9, 0, 1));
    }
}
