package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Images to pixel values. */
@Command(
        name = "preprocess",
        description = "Writes images' pixel values (tiles, 3, S, S) into a safetensors file, as pixel_values.",
        footer = {"", "Example:", "  internvl4j preprocess --model DIR --image photo.jpg --out pixels.safetensors"})
final class PreprocessCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Option(
            names = "--image",
            required = true,
            arity = "1..*",
            paramLabel = "FILE",
            description = "Images; may be given again.")
    private List<String> images;

    @Option(
            names = "--max-tiles",
            paramLabel = "N",
            description =
                    "Tiles of an image at most, without its thumbnail; 1: one square. Default: as the checkpoint says.")
    private @Nullable Integer maxTiles;

    @Option(names = "--exif-transpose", description = "Turn images as their EXIF orientation says.")
    private boolean exifTranspose;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The safetensors file to write.")
    private Path out;

    @Override
    public Integer call() {
        Path directory = model.path();
        ImageProcessor processor = ImageProcessor.load(directory, InternVL.inspect(directory));
        Tiling tiling =
                maxTiles == null ? processor.tiling() : processor.tiling().most(maxTiles);
        ReadOptions options = ReadOptions.defaults().exifTranspose(exifTranspose);
        List<Image> read = new Media(null, options).images(images);
        Tensor pixels = processor.preprocess(read, tiling);
        Safetensors.write(out, Map.of("pixel_values", pixels));
        main.streams.out().println("pixel_values " + Arrays.toString(pixels.shape()) + " in " + out);
        return 0;
    }
}
