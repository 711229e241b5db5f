package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a benchmark is. Nothing is downloaded: this is for people.
 *
 * @param family a name for all splits together, such as {@code mmmu}
 * @param questions as many as the published split has, 0 if unknown
 * @param files what is expected below the data folder
 * @param size of the data, roughly; null if its publisher says nothing
 * @param licence as its publisher names it; null if that is not known here
 * @param published where it can be had
 * @param server where results are scored that cannot be scored here; null if they can
 * @param card the card's figures by their names
 */
public record About(
        @JsonProperty("family") String family,
        @JsonProperty("questions") int questions,
        @JsonProperty("files") List<String> files,
        @JsonProperty("size") @Nullable String size,
        @JsonProperty("licence") @Nullable String licence,
        @JsonProperty("published") String published,
        @JsonProperty("server") @Nullable String server,
        @JsonProperty("card") Map<String, Double> card) {
    private static final Map<String, About> PUBLISHED = read();

    private static Map<String, About> read() {
        try (InputStream file = Objects.requireNonNull(About.class.getResourceAsStream("benchmarks.json"))) {
            return new ObjectMapper().readValue(file, new TypeReference<Map<String, About>>() {});
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static About of(String benchmark) {
        return Objects.requireNonNull(PUBLISHED.get(benchmark), benchmark);
    }

    /** A figure with the card's beside it. */
    Outcome.Figure figure(String name, double value) {
        return new Outcome.Figure(name, value, card.get(name));
    }
}
