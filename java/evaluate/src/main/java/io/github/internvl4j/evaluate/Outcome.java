package io.github.internvl4j.evaluate;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run of a benchmark gives.
 *
 * @param figures the numbers, the one the card has first; none if a server scores
 * @param report what the original scripts print
 * @param files result and submission files by name, in exactly the published form
 * @param notes what a reader must know: estimates, what a server has to score and where
 */
public record Outcome(List<Figure> figures, String report, Map<String, byte[]> files, List<String> notes) {
    /**
     * A number.
     *
     * @param value in the unit of the card: mostly percent
     * @param card what the card says, null if nothing
     */
    public record Figure(
            String name, double value, @Nullable Double card) {}
}
