package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.TestData;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageProcessorTest {
    private static final String MEAN_STD =
            "\"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225]";

    @TempDir
    Path folder;

    static List<Path> checkpoints() {
        return TestData.checkpoints();
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void equalsTheOriginalToTheLastBit(Path directory) {
        ImageProcessor processor = ImageProcessor.load(directory, InternVL.inspect(directory));
        Map<String, Tensor> wanted = TestData.pixelValues(directory);
        assertTrue(wanted.size() >= 4, () -> "only " + wanted.keySet());
        List<Image> images = new ArrayList<>();
        wanted.forEach((name, values) -> {
            Image image = Image.read(directory.resolve("images").resolve(name));
            images.add(image);
            int size = processor.imageSize();
            assertEquals(values.size(0), processor.tiling().tiles(image.width(), image.height(), size), name);
            assertSame(values, processor.preprocess(image), 0, name);
        });
        Tensor together = processor.preprocess(images);
        long first = 0;
        for (Map.Entry<String, Tensor> values : wanted.entrySet()) {
            assertSame(values.getValue(), together, first, values.getKey());
            first += values.getValue().size(0);
        }
        assertEquals(first, together.size(0));
    }

    /** All values of an image's tiles, and those of the tensor from this tile on. */
    private static void assertSame(Tensor wanted, Tensor pixels, long first, String name) {
        for (long tile = 0; tile < wanted.size(0); tile++) {
            Tensor expected = wanted.slice(tile);
            Tensor actual = pixels.slice(first + tile);
            assertArrayEquals(expected.shape(), actual.shape());
            assertArrayEquals(expected.toArray(), actual.toArray(), 0f, name + ", tile " + tile);
        }
    }

    @Test
    void aModelOfSquaresIsReadAsEver() {
        Path directory = TestData.root().resolve("hermes-d128");
        ImageProcessor squares = ImageProcessor.load(directory);
        assertEquals(Tiling.NONE, squares.tiling());
        Image image = image(300, 40);
        Tensor wanted =
                ImageProcessor.load(directory, InternVL.inspect(directory)).preprocess(image);
        assertSame(wanted, squares.preprocess(image), 0, "squares");
        assertSame(wanted, squares.preprocess(List.of(image), squares.tiling().most(12)), 0, "squares stay squares");
    }

    /** A tile is a piece of the resized image, and the thumbnail comes from the image itself. */
    @Property(tries = 40)
    void tilesArePiecesOfTheImage(
            @ForAll @IntRange(min = 1, max = 300) int width,
            @ForAll @IntRange(min = 1, max = 300) int height,
            @ForAll @IntRange(min = 1, max = 12) int most) {
        Path directory = TestData.root().resolve("internlm2-tiles");
        ImageProcessor processor = ImageProcessor.load(directory, InternVL.inspect(directory));
        Tiling tiling = processor.tiling().most(most);
        int size = processor.imageSize();
        Image image = image(width, height);
        Tensor pixels = processor.preprocess(List.of(image), tiling);
        assertEquals(tiling.tiles(width, height, size), pixels.size(0));
        Tiling.Grid grid = tiling.grid(width, height, size);
        Image whole = image.resize(size * grid.columns(), size * grid.rows());
        Tiling one = tiling.most(1);
        for (int tile = 0; tile < grid.tiles(); tile++) {
            Image piece = crop(whole, tile % grid.columns() * size, tile / grid.columns() * size, size);
            assertSame(processor.preprocess(List.of(piece), one), pixels, tile, "tile");
        }
        if (grid.tiles() > 1) {
            assertSame(processor.preprocess(List.of(image), one), pixels, grid.tiles(), "thumbnail");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"internlm2-tiles", "qwen2-hf"})
    void strips(String checkpoint) {
        Path directory = TestData.root().resolve(checkpoint);
        ImageProcessor processor = ImageProcessor.load(directory, InternVL.inspect(directory));
        int most = processor.tiling().most();
        assertEquals(most + 1, processor.preprocess(image(1, 30_000)).size(0));
        assertEquals(most + 1, processor.preprocess(image(30_000, 1)).size(0));
    }

    private static Image image(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (1103515245 * i + 12345 >>> 16);
        }
        return Image.ofRgb(width, height, rgb);
    }

    private static Image crop(Image image, int x, int y, int size) {
        byte[] rgb = new byte[3 * size * size];
        for (int row = 0; row < size; row++) {
            System.arraycopy(image.array(), 3 * ((y + row) * image.width() + x), rgb, 3 * row * size, 3 * size);
        }
        return Image.ofRgb(size, size, rgb);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"min_patches\": 2, \"max_patches\": 6, \"crop_to_patches\": false'|2|6",
                "'\"min_patches\": null, \"resample\": 3'|1|12",
                "'\"max_patches\": 3e0, \"do_resize\": false, \"do_center_crop\": null'|1|3"
            })
    void theFileOfTransformersHasTheLimits(String fields, int least, int most) throws IOException {
        write("{\"image_processor_type\": \"GotOcr2ImageProcessorFast\", \"size\": {\"height\": 56, \"width\": 56}, "
                + fields + ", " + MEAN_STD + "}");
        assertEquals(
                new Tiling(true, true, least, most),
                ImageProcessor.load(folder, transformers()).tiling());
        assertReason("image_processor_type", () -> ImageProcessor.load(folder));
    }

    @Test
    void oneFileMayHoldTheProcessorsOfTransformers() throws IOException {
        Path all = folder.resolve("processor_config.json");
        Files.writeString(all, "{\"image_seq_length\": 4}");
        assertReason("does not exist", () -> ImageProcessor.load(folder, transformers()));
        Files.writeString(all, "{\"image_processor\": {\"size\": 56, \"max_patches\": 4, " + MEAN_STD + "}}");
        assertEquals(4, ImageProcessor.load(folder, transformers()).tiling().most());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"max_patches\": 0'|max_patches is 0",
                "'\"max_patches\": 1000000'|max_patches is 1000000",
                "'\"max_patches\": \"12\"'|max_patches is",
                "'\"max_patches\": 1.5'|max_patches is 1.5",
                "'\"min_patches\": 0'|min_patches is 0",
                "'\"min_patches\": 7, \"max_patches\": 6'|min_patches is 7",
                "'\"resample\": 2'|resample is 2",
                "'\"rescale_factor\": 0'|rescale_factor is 0",
                "'\"size\": {\"height\": 28, \"width\": 28}'|vision_config.image_size",
                "'\"size\": {\"height\": 56, \"width\": 28}'|size is",
                "'\"size\": null'|size is null"
            })
    void malformedFieldsOfTransformersAreNamed(String field, String reason) throws IOException {
        String size = field.contains("size\"") ? "" : ", \"size\": {\"height\": 56, \"width\": 56}";
        write("{" + field + size + ", " + MEAN_STD + "}");
        assertReason(reason, () -> ImageProcessor.load(folder, transformers()));
    }

    /** A model in the layout of transformers with tiles of 56 pixels. */
    private static ModelInfo transformers() {
        return InternVL.inspect(TestData.root().resolve("qwen2-hf"));
    }

    @Test
    void theSwitchesOfTransformers() throws IOException {
        String size = "{\"size\": 56, ";
        Image image = Image.ofRgb(1, 1, new byte[] {(byte) 200, 1, 2});
        write(size + "\"do_rescale\": false, \"do_normalize\": false}");
        assertEquals(
                200f,
                ImageProcessor.load(folder, transformers()).preprocess(image).get(0, 0, 0, 0));
        write(size + "\"do_normalize\": false, \"rescale_factor\": 0.5}");
        assertEquals(
                100f,
                ImageProcessor.load(folder, transformers()).preprocess(image).get(0, 0, 0, 0));
        write(size + "\"do_rescale\": false, \"image_mean\": [100, 0, 0], \"image_std\": [2, 1, 1]}");
        assertEquals(
                50f,
                ImageProcessor.load(folder, transformers()).preprocess(image).get(0, 0, 0, 0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"size\": 8, \"crop_size\": 8'",
                "'\"size\": {\"shortest_edge\": 8}, \"crop_size\": {\"height\": 8, \"width\": 8}'",
                "'\"size\": {\"height\": 8, \"width\": 8}, \"do_center_crop\": false'",
                "'\"size\": 8, \"resample\": 3, \"rescale_factor\": 0.00392156862745098, \"do_rescale\": true'",
                "'\"do_resize\": false, \"crop_size\": 8'",
                "'\"size\": 8.0, \"crop_size\": {\"height\": 8e0, \"width\": 8}'"
            })
    void understandsEveryWayToSayTheSize(String fields) throws IOException {
        write("{" + fields + ", " + MEAN_STD + "}");
        assertEquals(8, ImageProcessor.load(folder, 8).imageSize());
        Tensor pixels = ImageProcessor.load(folder).preprocess(Image.ofRgb(1, 1, new byte[] {(byte) 255, 0, 0}));
        assertEquals((1 - 0.485f) / 0.229f, pixels.get(0, 0, 3, 4));
        assertEquals((0 - 0.456f) / 0.224f, pixels.get(0, 1, 3, 4));
        assertEquals((0 - 0.406f) / 0.225f, pixels.get(0, 2, 3, 4));
    }

    @Test
    void aByteOrderMarkIsNoPartOfTheFile() throws IOException {
        write("\ufeff{\"size\": 8, " + MEAN_STD + "}");
        assertEquals(8, ImageProcessor.load(folder, 8).imageSize());
    }

    @Test
    void obeysTheSwitches() throws IOException {
        write("{\"size\": 4, \"do_rescale\": false, \"do_normalize\": false}");
        Image image = Image.ofRgb(1, 1, new byte[] {(byte) 200, 1, 2});
        assertEquals(200, ImageProcessor.load(folder).preprocess(image).get(0, 0, 0, 0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|JSON object",
                "{\"size\": 8|malformed",
                "''|malformed",
                "{\"size\": 8, \"size\": 8}|malformed",
                "{}|size is missing",
                "{\"size\": -1}|size is -1",
                "{\"size\": 0}|size is 0",
                "{\"size\": 8.5}|size is 8.5",
                "{\"size\": 99999999}|size is 99999999",
                "{\"size\": \"8\"}|size is",
                "{\"size\": {\"height\": 8, \"width\": 9}}|size is",
                "{\"size\": {\"longest_edge\": 8}}|size is",
                "{\"size\": 8, \"crop_size\": 9}|crop_size is 9",
                "{\"size\": 8, \"do_resize\": 1}|do_resize is 1",
                "{\"size\": 8}|image_mean is missing",
                "{\"size\": 8, \"image_mean\": [1, 2]}|image_mean is",
                "{\"size\": 8, \"image_mean\": [1, 2, \"3\"]}|image_mean is",
                "{\"size\": 8, \"image_mean\": [1, 2, 1e99]}|image_mean is",
                "{\"size\": 8, \"image_mean\": [1, 2, 3]}|image_std is missing",
                "{\"size\": 8, \"image_mean\": [1, 2, 3], \"image_std\": [1, 0, 1]}|image_std is",
                "{\"size\": 8, \"image_mean\": [1, 2, 3], \"image_std\": [1, 1e-60, 1]}|image_std is",
                "{\"size\": 8, \"rescale_factor\": null}|rescale_factor"
            })
    void malformedFieldsAreNamed(String json, String reason) throws IOException {
        write(json);
        assertReason(reason, () -> ImageProcessor.load(folder));
    }

    @Test
    void missingFilesAndOtherSizesAreNamed() throws IOException {
        assertReason("does not exist", () -> ImageProcessor.load(folder));
        write("{\"size\": 8, " + MEAN_STD + "}");
        assertReason("force_image_size", () -> ImageProcessor.load(folder, 16));
        ImageProcessor processor = ImageProcessor.load(folder);
        assertThrows(InvalidOptionException.class, () -> processor.preprocess(List.of()));
    }

    private void write(String json) throws IOException {
        Files.writeString(folder.resolve("preprocessor_config.json"), json);
    }

    private void assertReason(String reason, Runnable action) {
        CheckpointException e = assertThrows(CheckpointException.class, action::run);
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains("preprocessor_config.json") && message.contains(reason), message);
    }
}
