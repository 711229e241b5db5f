package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.text.Round;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One request of a batch file. What is null there is the command's own setting. */
record BatchLine(
        @Nullable JsonNode id,
        @Nullable String prompt,
        @Nullable List<String> images,
        @Nullable Boolean combine,
        @Nullable String video,
        @Nullable Integer frames,
        @Nullable Double start,
        @Nullable Double end,
        @Nullable List<List<String>> history,
        @Nullable String system,
        @Nullable Integer maxNewTokens,
        @Nullable Float temperature,
        @Nullable Integer topK,
        @Nullable Float topP,
        @Nullable Float repetitionPenalty,
        @Nullable Long seed,
        @Nullable List<String> stop) {
    /** The line as a JSON object, whatever its fields. */
    static JsonNode parse(byte[] line) {
        try {
            JsonNode object = Json.MAPPER.readTree(Utf8.decode(line, "the line"));
            if (!object.isObject()) {
                throw new PromptException("expected a JSON object");
            }
            return object;
        } catch (JsonProcessingException e) {
            throw new PromptException("expected a JSON object: " + Json.describe(e), e);
        }
    }

    static BatchLine of(JsonNode object) {
        try {
            return Json.MAPPER.treeToValue(object, BatchLine.class);
        } catch (JsonProcessingException e) {
            throw new PromptException(Json.describe(e), e);
        }
    }

    /**
     * What is asked, its pictures read.
     *
     * @param input the file of requests: relative files lie beside it, or else in the working directory
     */
    Prompt prompt(Path input, InputRules rules) {
        if (prompt == null) {
            throw new PromptException("the field prompt is missing");
        }
        List<Round> rounds = history == null ? List.of() : History.rounds(history);
        Prompt asked = video == null ? pictures(prompt, rounds, input, rules) : film(prompt, video, rounds, input);
        return asked.system(system).specialTokens(rules.specialTokens());
    }

    private Prompt pictures(String question, List<Round> rounds, Path input, InputRules rules) {
        if (frames != null || start != null || end != null) {
            throw new PromptException("the fields frames, start and end need the field video");
        }
        List<Path> files = images == null
                ? List.of()
                : images.stream().map(file -> beside(input, file)).toList();
        return PromptOptions.pictures(question, rules.read(files), Boolean.TRUE.equals(combine))
                .history(rounds);
    }

    private Prompt film(String question, String file, List<Round> rounds, Path input) {
        if (images != null || combine != null) {
            throw new PromptException("the field video goes with neither images nor combine");
        }
        int shown = frames == null ? Film.DEFAULT_FRAMES : frames;
        return new Film(beside(input, file), shown, start, end).prompt(question, rounds);
    }

    private static Path beside(Path input, String file) {
        Path there = input.toAbsolutePath().resolveSibling(file);
        return Files.exists(there) ? there : Path.of(file);
    }

    GenerationConfig config(GenerationConfig base) {
        GenerationConfig config = base;
        config = maxNewTokens == null ? config : config.maxNewTokens(maxNewTokens);
        config = temperature == null ? config : config.temperature(temperature);
        config = topK == null ? config : config.topK(topK);
        config = topP == null ? config : config.topP(topP);
        config = repetitionPenalty == null ? config : config.repetitionPenalty(repetitionPenalty);
        config = seed == null ? config : config.seed(seed);
        return stop == null ? config : config.stopStrings(stop.toArray(new String[0]));
    }
}
