package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageProcessorTest {
    private static final String MEAN_STD =
            "\"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225]";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"hermes-d128", "hermes-gqa7"})
    void equalsTheOriginalToTheLastBit(String checkpoint) {
        Path directory = TestPictures.testData().resolve(checkpoint);
        ImageProcessor processor = ImageProcessor.load(directory);
        Map<String, Tensor> wanted = Safetensors.read(directory.resolve("pixel_values.safetensors"));
        assertEquals(5, wanted.size());
        List<Image> images = new ArrayList<>();
        wanted.forEach((name, values) -> {
            Image image = Image.read(directory.resolve("images").resolve(name));
            images.add(image);
            Tensor pixels = processor.preprocess(image);
            int size = processor.imageSize();
            assertArrayEquals(new long[] {1, 3, size, size}, pixels.shape());
            assertArrayEquals(values.toArray(), pixels.toArray(), 0f, name);
        });
        Tensor together = processor.preprocess(images);
        int i = 0;
        for (Tensor values : wanted.values()) {
            assertArrayEquals(values.toArray(), together.slice(i++).toArray(), 0f);
        }
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
