package io.github.internvl4j.text;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Passes a stream of text on until one of several strings appears in it, and nothing of that string. Text that might be
 * the beginning of one is held back until it is known not to be.
 *
 * <p>The match that is complete first counts; of several that end at the same character, the longest. So the result
 * does not depend on how the text was cut into chunks, and generation can stop at that very character. For one text and
 * one thread.
 */
public final class StopStrings {
    private final List<String> stops;
    /** By stop string: the Knuth-Morris-Pratt failure table. */
    private final int[][] failures;
    /** By stop string: how many of its characters the text so far ends with. */
    private final int[] matched;

    private final StringBuilder held = new StringBuilder();
    private Optional<String> match = Optional.empty();

    /**
     * @param stops the strings that end the text; none of them empty
     * @throws InvalidOptionException if one is empty
     */
    public StopStrings(List<String> stops) {
        Objects.requireNonNull(stops, "stops");
        this.stops = List.copyOf(stops);
        this.matched = new int[stops.size()];
        this.failures = new int[stops.size()][];
        for (int s = 0; s < failures.length; s++) {
            if (stops.get(s).isEmpty()) {
                throw new InvalidOptionException("stop string " + s + " is empty; expected at least one character");
            }
            failures[s] = failures(stops.get(s));
        }
    }

    private static int[] failures(String stop) {
        int[] failure = new int[stop.length()];
        for (int i = 1; i < failure.length; i++) {
            int length = failure[i - 1];
            while (length > 0 && stop.charAt(i) != stop.charAt(length)) {
                length = failure[length - 1];
            }
            failure[i] = stop.charAt(i) == stop.charAt(length) ? length + 1 : 0;
        }
        return failure;
    }

    /**
     * Takes more text.
     *
     * @param text any text
     * @return what is certain to come before any stop string; nothing once one has matched
     */
    public String accept(String text) {
        Objects.requireNonNull(text, "text");
        if (match.isPresent()) {
            return "";
        }
        for (int i = 0; i < text.length(); i++) {
            held.append(text.charAt(i));
            int longest = 0;
            for (int s = 0; s < matched.length; s++) {
                if (advance(s, text.charAt(i)) && stops.get(s).length() > longest) {
                    longest = stops.get(s).length();
                    match = Optional.of(stops.get(s));
                }
            }
            if (longest > 0) {
                return release(longest);
            }
        }
        int possible = 0;
        for (int length : matched) {
            possible = Math.max(possible, length);
        }
        return release(possible);
    }

    /** Moves one automaton on; true if its string is complete. */
    private boolean advance(int s, char c) {
        String stop = stops.get(s);
        int length = matched[s];
        while (length > 0 && stop.charAt(length) != c) {
            length = failures[s][length - 1];
        }
        matched[s] = stop.charAt(length) == c ? length + 1 : 0;
        return matched[s] == stop.length();
    }

    private String release(int keep) {
        String out = held.substring(0, held.length() - keep);
        held.delete(0, held.length() - keep);
        return out;
    }

    /**
     * Ends the text.
     *
     * @return what was held back, as it turned out to be no stop string
     */
    public String finish() {
        if (match.isPresent()) {
            return "";
        }
        return release(0);
    }

    /** @return the stop string that ended the text, or empty */
    public Optional<String> match() {
        return match;
    }
}
