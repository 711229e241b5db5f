package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class StopStringsTest {
    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings().withChars('a', 'b', 'c').ofMaxLength(30);
    }

    @Provide
    Arbitrary<List<String>> stops() {
        return Arbitraries.strings()
                .withChars('a', 'b', 'c')
                .ofMinLength(1)
                .ofMaxLength(5)
                .list()
                .ofMaxSize(4);
    }

    @Property(tries = 5000)
    void cutsAtTheFirstCompleteMatchHoweverTheTextIsCut(
            @ForAll("texts") String text, @ForAll("stops") List<String> stops, @ForAll Random random) {
        String expected = text;
        Optional<String> match = Optional.empty();
        for (int end = 1; end <= text.length() && match.isEmpty(); end++) {
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop)
                        && stop.length() > match.map(String::length).orElse(0)) {
                    match = Optional.of(stop);
                    expected = text.substring(0, end - stop.length());
                }
            }
        }
        StopStrings filter = new StopStrings(stops);
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int end = Math.min(text.length(), at + random.nextInt(6));
            out.append(filter.accept(text.substring(at, end)));
            at = end;
            assertTrue(expected.startsWith(out.toString()), "a part of a stop string leaked");
            // What is held back is only what may still become a stop string.
            String seen = text.substring(0, at);
            if (filter.match().isEmpty()) {
                String held = seen.substring(out.length());
                assertTrue(held.isEmpty() || stops.stream().anyMatch(stop -> stop.startsWith(held)), "held " + held);
            }
        }
        out.append(filter.finish());
        assertEquals(expected, out.toString());
        assertEquals(match, filter.match());
    }

    @Property(tries = 1000)
    void oneStopIsPythonsSplit(@ForAll("texts") String text) {
        StopStrings filter = new StopStrings(List.of("ab"));
        int at = text.indexOf("ab");
        assertEquals(at < 0 ? text : text.substring(0, at), filter.accept(text) + filter.finish());
    }

    @Example
    void refusesAnEmptyStop() {
        assertThrows(InvalidOptionException.class, () -> new StopStrings(List.of("x", "")));
    }

    @Example
    void nothingAfterTheMatch() {
        StopStrings filter = new StopStrings(List.of("END"));
        List<String> out = new ArrayList<>();
        for (String chunk : List.of("one E", "N", "E", "ND two", "three")) {
            out.add(filter.accept(chunk));
        }
        out.add(filter.finish());
        assertEquals(List.of("one ", "", "EN", "", "", ""), out);
        assertEquals("END", filter.match().orElseThrow());
    }
}
