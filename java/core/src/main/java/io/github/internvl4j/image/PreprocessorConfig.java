package io.github.internvl4j.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.runtime.CheckpointFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What preprocessor_config.json says, as {@code CLIPImageProcessor} reads it.
 *
 * <p>{@code size} is a number, {@code {"shortest_edge": n}} or {@code {"height": n, "width": n}}; {@code crop_size} a
 * number or the latter. Where resizing and cropping are both on they must agree, since the card gives the processor
 * pictures that have the final size already. {@code resample} says nothing then, and is not looked at.
 *
 * @param size of the picture in pixels, width and height
 * @param rescale whether levels are multiplied by {@code rescaleFactor}
 * @param rescaleFactor 1/255 if the file has none
 * @param normalize whether mean and standard deviation are applied
 * @param mean of each channel, on the scale of the rescaled levels
 * @param std standard deviation of each channel
 */
record PreprocessorConfig(
        int size, boolean rescale, double rescaleFactor, boolean normalize, double[] mean, double[] std) {
    static final String FILE_NAME = "preprocessor_config.json";

    /** Far beyond any vision tower; keeps 3 * S * S within a tensor. */
    private static final int MAX_SIZE = 8192;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /**
     * Reads and checks the file.
     *
     * @param file preprocessor_config.json
     * @return its content
     * @throws CheckpointException if it cannot be read, or a field is missing or malformed
     */
    static PreprocessorConfig read(Path file) {
        JsonNode root;
        try {
            root = MAPPER.readTree(CheckpointFile.read(file));
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + " does not exist; it has the size and normalization of pictures", e);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + " is malformed: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new CheckpointException(file + " cannot be read: " + FileProblems.reason(e), e);
        }
        if (root == null || !root.isObject()) {
            throw new CheckpointException(file + " is malformed: it is not a JSON object");
        }
        return new Fields(file, root).read();
    }

    private record Fields(Path file, JsonNode root) {
        PreprocessorConfig read() {
            boolean resize = flag("do_resize");
            boolean crop = flag("do_center_crop");
            int size = side("size", resize || !crop);
            int cropSize = side("crop_size", crop && !resize);
            if (resize && crop && cropSize != 0 && cropSize != size) {
                throw wrong("crop_size", "the same as size, " + size);
            }
            boolean rescale = flag("do_rescale");
            boolean normalize = flag("do_normalize");
            JsonNode stated = root.path("rescale_factor");
            double factor = stated.isMissingNode() ? 1 / 255.0 : number("rescale_factor", stated);
            double[] mean = normalize ? triple("image_mean") : new double[3];
            double[] std = normalize ? triple("image_std") : new double[] {1, 1, 1};
            for (double deviation : std) {
                if ((float) deviation <= 0) {
                    throw wrong("image_std", "three numbers above 0");
                }
            }
            return new PreprocessorConfig(
                    resize || !crop ? size : cropSize, rescale, factor, normalize, mean, std);
        }

        /** A switch; on if absent, as in CLIPImageProcessor. */
        private boolean flag(String name) {
            JsonNode node = root.path(name);
            if (node.isMissingNode() || node.isNull()) {
                return true;
            }
            if (!node.isBoolean()) {
                throw wrong(name, "true or false");
            }
            return node.booleanValue();
        }

        /** The side of a square; 0 if it is absent and not required. */
        private int side(String name, boolean required) {
            JsonNode node = root.path(name);
            String wanted = "a number of pixels from 1 to " + MAX_SIZE
                    + ", {\"shortest_edge\": n} or {\"height\": n, \"width\": n} with both the same";
            if (node.isMissingNode() || node.isNull()) {
                if (required) {
                    throw wrong(name, wanted);
                }
                return 0;
            }
            JsonNode height = node;
            JsonNode width = node;
            if (node.isObject()) {
                boolean edge = node.has("shortest_edge");
                height = node.path(edge ? "shortest_edge" : "height");
                width = edge ? height : node.path("width");
            }
            boolean sound = isInt(height) && isInt(width) && height.intValue() == width.intValue();
            if (!sound || height.intValue() < 1 || height.intValue() > MAX_SIZE) {
                throw wrong(name, wanted);
            }
            return height.intValue();
        }

        /** However it is written, 448 or 448.0. */
        private static boolean isInt(JsonNode node) {
            return node.isNumber() && node.canConvertToExactIntegral() && node.canConvertToInt();
        }

        private double[] triple(String name) {
            JsonNode node = root.path(name);
            if (!node.isArray() || node.size() != 3) {
                throw wrong(name, "three numbers");
            }
            double[] values = new double[3];
            for (int i = 0; i < 3; i++) {
                values[i] = number(name, node.get(i));
            }
            return values;
        }

        private double number(String name, JsonNode node) {
            if (!node.isNumber() || !Float.isFinite((float) node.doubleValue())) {
                throw wrong(name, "finite numbers");
            }
            return node.doubleValue();
        }

        private CheckpointException wrong(String name, String wanted) {
            JsonNode node = root.path(name);
            String found = node.isMissingNode() ? "is missing" : "is " + shortened(node.toString());
            return new CheckpointException(file + ": " + name + " " + found + ", expected " + wanted);
        }

        private static String shortened(String text) {
            return text.length() <= 80 ? text : text.substring(0, 80) + "...";
        }
    }
}
