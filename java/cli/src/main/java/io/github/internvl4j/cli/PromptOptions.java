package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.text.Round;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.video.VideoFrames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is asked. */
final class PromptOptions {
    @Option(names = "--image", paramLabel = "FILE", description = "A picture; may be given again.")
    List<Path> images = List.of();

    @Option(names = "--combine", description = "Take the pictures as one entry with one place in the prompt.")
    boolean combine;

    @Option(names = "--video", paramLabel = "FILE", description = "A film, shown as frames.")
    @Nullable Path video;

    @Option(names = "--frames", defaultValue = "8", paramLabel = "N", description = "Frames of the film (default: ${DEFAULT-VALUE}).")
    int frames;

    @Option(names = "--history", paramLabel = "FILE", description = "JSON list of [question, answer] rounds before this one.")
    @Nullable Path history;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message; the template's own if not given.")
    @Nullable String system;

    @Option(names = "--exif-transpose", description = "Turn pictures as their EXIF orientation says (the original does not).")
    boolean exifTranspose;

    @Option(
            names = "--special-tokens",
            defaultValue = "parse",
            paramLabel = "MODE",
            description = "Special tokens in your text: parse (default, as the original), literal or reject.")
    SpecialTokens specialTokens;

    Prompt prompt(String question) {
        Prompt prompt = video == null ? pictures(question) : film(question, video);
        return prompt.history(rounds()).system(system).specialTokens(specialTokens);
    }

    private Prompt pictures(String question) {
        List<Image> read = readImages(images);
        boolean one = combine && !read.isEmpty();
        return one ? Prompt.combined(question, read.toArray(new Image[0])) : Prompt.of(question, read);
    }

    private Prompt film(String question, Path file) {
        if (!images.isEmpty() || combine) {
            throw new PromptException("--video cannot be combined with --image or --combine");
        }
        return film(question, file, frames);
    }

    /** Frames with their names before the question, unless it says itself where they stand. */
    static Prompt film(String question, Path file, int frames) {
        try (VideoFrames film = VideoFrames.open(file)) {
            List<Image> sampled = film.sample(frames);
            return question.contains("<image>") ? Prompt.of(question, sampled) : Prompt.video(question, sampled);
        }
    }

    List<Image> readImages(List<Path> files) {
        ReadOptions options = ReadOptions.defaults().withExifTranspose(exifTranspose);
        return files.stream().map(file -> Image.read(file, options)).toList();
    }

    private List<Round> rounds() {
        if (history == null) {
            return List.of();
        }
        try {
            return rounds(Json.MAPPER.readValue(Files.readString(history), new TypeReference<>() {}));
        } catch (JsonProcessingException e) {
            throw new PromptException(history + ": expected a JSON list of [question, answer]: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new PromptException(history + ": " + Failures.describe(e), e);
        }
    }

    static List<Round> rounds(List<List<String>> pairs) {
        List<Round> rounds = new ArrayList<>();
        for (List<String> pair : pairs) {
            if (pair.size() != 2) {
                throw new PromptException("round " + rounds.size() + " of the history has " + pair.size()
                        + " entries, expected [question, answer]");
            }
            rounds.add(new Round(pair.get(0), pair.get(1)));
        }
        return rounds;
    }
}
