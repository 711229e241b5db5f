package io.github.internvl4j;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.video.VideoFrames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** The demo checkpoint, its sample pictures, and what it says about them in PyTorch f32 (scripts/demo_model/golden.py). */
final class DemoModel {
    static final Path DIRECTORY = TestData.root().resolve("demo");
    /** Longer than any answer: an answer ends itself. */
    static final GenerationConfig CONFIG = GenerationConfig.greedy(160);

    private DemoModel() {}

    /** How a dialog's pictures come into its first question. */
    enum Manner {
        @JsonProperty("none")
        NONE,
        @JsonProperty("single")
        SINGLE,
        @JsonProperty("combined")
        COMBINED,
        @JsonProperty("separate")
        SEPARATE,
        @JsonProperty("frames")
        FRAMES
    }

    record Turn(
            String question,
            String answer,
            @JsonProperty("prompt_ids") List<Integer> promptIds,
            @JsonProperty("answer_ids") List<Integer> answerIds) {}

    record Dialog(
            String name,
            List<String> pictures,
            Manner manner,
            @JsonProperty("rounds") List<Turn> turns) {
        /** The first question with its pictures. */
        Prompt opening() {
            String question = turns.get(0).question();
            return switch (manner) {
                case NONE, SINGLE -> Prompt.of(question, images());
                case COMBINED -> Prompt.combined(question, images().toArray(Image[]::new));
                case SEPARATE -> Prompt.of("Image-1: <image>\nImage-2: <image>\n" + question, images());
                case FRAMES -> Prompt.video(question, frames());
            };
        }

        private List<Image> images() {
            return pictures.stream().map(name -> Image.read(sample(name))).toList();
        }

        private List<Image> frames() {
            try (VideoFrames film = VideoFrames.open(sample(pictures.get(0)))) {
                return film.sample(8);
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Dialog> dialogs() {
        try {
            return new ObjectMapper()
                    .readValue(DIRECTORY.resolve("golden.json").toFile(), new TypeReference<List<Dialog>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static InternVL load(Precision precision) {
        return InternVL.load(DIRECTORY, LoadOptions.defaults().precision(precision));
    }

    private static Path sample(String name) {
        return DIRECTORY.resolve("samples").resolve(name);
    }
}
