package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is asked about. */
final class PromptOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--image",
            arity = "1..*",
            paramLabel = "FILE",
            description = "Images, each with a placeholder of its own; may be given again.")
    private List<String> images = List.of();

    @Option(names = "--combine", description = "Take the images as one entry with one placeholder in the prompt.")
    private boolean combine;

    @Option(names = "--video", paramLabel = "FILE", description = "A video, shown as frames.")
    private @Nullable String video;

    @Option(
            names = "--frames",
            defaultValue = "" + Video.DEFAULT_FRAMES,
            paramLabel = "N",
            description = "Frames of the video (default: ${DEFAULT-VALUE}).")
    private int frames;

    @Option(names = "--start", paramLabel = "SECONDS", description = "Where the shown stretch of the video begins.")
    private @Nullable Double start;

    @Option(names = "--end", paramLabel = "SECONDS", description = "Where it ends.")
    private @Nullable Double end;

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description = "JSON list of [question, answer] turns before this one.")
    private @Nullable Path history;

    @Option(
            names = "--system",
            parameterConsumer = Verbatim.class,
            paramLabel = "TEXT",
            description = "System message; the template's own if not given.")
    private @Nullable String system;

    @Mixin
    private InputRules rules;

    /** The whole prompt; images, video and history are read now. */
    Prompt prompt(String question) throws IOException {
        List<Turn> turns = history == null ? List.of() : History.read(history);
        Video shown = video == null ? null : video(video);
        Prompt prompt = shown == null
                ? images(question, images(), combine, turns, rules.specialTokens())
                : shown.prompt(question, turns, rules.specialTokens());
        return rules.of(prompt).system(system);
    }

    /** Images, each with a placeholder of its own, or all with one. */
    static Prompt images(String question, List<Image> images, boolean combine, List<Turn> history, SpecialTokens mode) {
        Prompt prompt = combine && !images.isEmpty()
                ? Prompt.combined(question, images.toArray(new Image[0]))
                : Prompt.of(question, images);
        return prompt.history(History.shown(history, mode, prompt.images().size()));
    }

    /** Refuses what contradicts itself. */
    void validate() {
        rules.validate();
        if (rules.thinking() && system != null) {
            throw new ParameterException(
                    command.commandLine(), "--thinking brings its own system message, so --system excludes it");
        }
        if (video != null && (combine || !images.isEmpty())) {
            throw new ParameterException(command.commandLine(), "--video goes with neither --image nor --combine");
        }
        if (video == null && (start != null || end != null)) {
            throw new ParameterException(command.commandLine(), "--start and --end need --video");
        }
    }

    List<Image> images() {
        return media().images(images);
    }

    Video video(String file) {
        return new Video(media(), file, frames, start, end);
    }

    @Nullable
    String video() {
        return video;
    }

    boolean combine() {
        return combine;
    }

    boolean hasHistory() {
        return history != null;
    }

    Media media() {
        return rules.media(null);
    }

    @Nullable
    String system() {
        return system;
    }

    InputRules rules() {
        return rules;
    }
}
