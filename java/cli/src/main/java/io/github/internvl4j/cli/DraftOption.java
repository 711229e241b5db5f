package io.github.internvl4j.cli;

import io.github.internvl4j.LoadOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A smaller model that guesses for the one that answers. */
final class DraftOption {
    @Option(
            names = "--draft",
            paramLabel = "MODEL",
            description = "A smaller checkpoint with the same tokenizer, which guesses what the model will say;"
                    + " answers are the same, and faster where it is often right.")
    private @Nullable ModelFolder draft;

    LoadOptions of(LoadOptions options) {
        return options.draft(draft == null ? null : draft.path());
    }
}
