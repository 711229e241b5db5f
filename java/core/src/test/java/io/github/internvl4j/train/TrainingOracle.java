package io.github.internvl4j.train;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the original makes of a data set with its traps, and of three steps over it: a folder for each checkpoint, beside which the test data has
 * the checkpoint itself. The system property training.oracle names another folder of such folders.
 */
record TrainingOracle(Path directory, Expected expected) {
    /** What is told of it. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Expected(
            @JsonProperty("max_length") int maxLength,
            List<Sample> samples,
            List<Integer> lengths,
            @JsonProperty("orders_by_length") List<Order> orders,
            Run run,
            Run lora) {}

    /** A line's tokens, or why it has none. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Sample(
            String name,
            @JsonProperty("input_ids") @Nullable List<Integer> ids,
            @Nullable List<Integer> labels,
            @JsonProperty("image_flags") @Nullable List<Integer> imageFlags,
            @Nullable Integer learnt,
            @Nullable String refused) {}

    /** An epoch. */
    record Order(long seed, @JsonProperty("micro_batch") int microBatch, int parts, List<Integer> order) {}

    /** Three steps. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Run(
            @Nullable List<String> order,
            @JsonProperty("micro_batch") int microBatch,
            int accumulate,
            double rate,
            double warmup,
            int rank,
            List<Step> steps) {}

    /** A step. */
    record Step(
            List<Double> losses,
            @JsonProperty("gradient_norm") double norm,
            double factor,
            double rate) {}

    static Path root() {
        String set = System.getProperty("training.oracle", "");
        return set.isEmpty() ? TestData.root().resolve("training") : Path.of(set);
    }

    static Stream<TrainingOracle> all() {
        try (Stream<Path> folders = Files.list(root())) {
            return folders.filter(folder -> Files.exists(folder.resolve("expected.json"))).sorted().toList().stream()
                    .map(TrainingOracle::load);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TrainingOracle load(Path directory) {
        try {
            return new TrainingOracle(
                    directory,
                    new ObjectMapper()
                            .readValue(directory.resolve("expected.json").toFile(), Expected.class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path checkpoint() {
        return TestData.root().resolve(directory.getFileName().toString());
    }

    Path meta() {
        return directory.resolve("meta.json");
    }

    @Override
    public String toString() {
        return directory.getFileName().toString();
    }
}
