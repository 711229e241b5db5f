package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request of a batch file. What is null there is the command's own setting.
 *
 * @param id given back with the answer
 */
record BatchLine(
        @Nullable Object id,
        @Nullable String prompt,
        @Nullable List<String> images,
        boolean combine,
        @Nullable String video,
        @Nullable Integer frames,
        @Nullable List<List<String>> history,
        @Nullable String system,
        @Nullable Integer maxNewTokens,
        @Nullable Float temperature,
        @Nullable Integer topK,
        @Nullable Float topP,
        @Nullable Float repetitionPenalty,
        @Nullable Long seed,
        @Nullable List<String> stop) {
    private static final int DEFAULT_FRAMES = 8;

    static BatchLine parse(String line, int number) {
        try {
            BatchLine parsed = Json.MAPPER.readValue(line, BatchLine.class);
            if (parsed == null) {
                throw new PromptException("request " + number + ": expected a JSON object");
            }
            return parsed;
        } catch (JsonProcessingException e) {
            throw new PromptException("request " + number + ": " + e.getOriginalMessage(), e);
        }
    }

    Prompt prompt(Path input) {
        if (prompt == null) {
            throw new PromptException("the request has no field prompt");
        }
        Prompt asked = video == null ? pictures(prompt, input) : film(prompt, video, input);
        return asked.system(system).history(history == null ? List.of() : PromptOptions.rounds(history));
    }

    private Prompt pictures(String question, Path input) {
        List<Image> read = images == null
                ? List.of()
                : images.stream().map(file -> Image.read(beside(input, file))).toList();
        boolean one = combine && !read.isEmpty();
        return one ? Prompt.combined(question, read.toArray(new Image[0])) : Prompt.of(question, read);
    }

    private Prompt film(String question, String file, Path input) {
        if (images != null || combine) {
            throw new PromptException("video cannot be combined with images or combine");
        }
        return PromptOptions.film(question, beside(input, file), frames == null ? DEFAULT_FRAMES : frames);
    }

    /** Relative files lie beside the input file, or else in the working directory. */
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
