package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.text.SpecialTokens;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How images and texts are taken, whatever they are. */
final class InputRules {
    @Option(
            names = "--exif-transpose",
            description = "Turn images as their EXIF orientation says (the original does not).")
    private boolean exifTranspose;

    @Option(
            names = "--special-tokens",
            defaultValue = "parse",
            paramLabel = "MODE",
            description =
                    "Special tokens in your text: parse (default, as the original), literal (then <image> is text, too, and"
                            + " images come first) or reject.")
    private SpecialTokens specialTokens;

    @Option(
            names = "--max-tiles",
            paramLabel = "N",
            description =
                    "Cut an image into at most N tiles, and one more for the whole (default: the checkpoint's); 1: the whole"
                            + " image alone.")
    private @Nullable Integer maxTiles;

    @Option(
            names = "--thinking",
            description =
                    "The thinking mode of InternVL3.5: its system message, and what is thought apart from the answer.")
    private boolean thinking;

    boolean thinking() {
        return thinking;
    }

    SpecialTokens specialTokens() {
        return specialTokens;
    }

    /**
     * Refuses what no prompt can be read by.
     *
     * @throws InvalidOptionException naming the option
     */
    void validate() {
        of(Prompt.of(""));
    }

    /** The prompt, read by these rules. */
    Prompt of(Prompt prompt) {
        return prompt.specialTokens(specialTokens).maxTiles(maxTiles).thinking(thinking);
    }

    /** Where images and videos come from; those that are no absolute names, from beside {@code list} if it is given. */
    Media media(@Nullable Path list) {
        return new Media(list, ReadOptions.defaults().exifTranspose(exifTranspose));
    }
}
