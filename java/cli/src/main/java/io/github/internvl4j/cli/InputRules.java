package io.github.internvl4j.cli;

import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.text.SpecialTokens;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** How pictures and texts are taken, whatever they are. */
final class InputRules {
    @Option(
            names = "--exif-transpose",
            description = "Turn pictures as their EXIF orientation says (the original does not).")
    private boolean exifTranspose;

    @Option(
            names = "--special-tokens",
            defaultValue = "parse",
            paramLabel = "MODE",
            description = "Special tokens in your text: parse (default, as the original), literal (then <image> is text, too, and"
                    + " pictures come first) or reject.")
    private SpecialTokens specialTokens;

    SpecialTokens specialTokens() {
        return specialTokens;
    }

    List<Image> read(List<Path> files) {
        ReadOptions options = ReadOptions.defaults().withExifTranspose(exifTranspose);
        return files.stream().map(file -> Image.read(file, options)).toList();
    }
}
