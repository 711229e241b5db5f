package io.github.internvl4j.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.CheckpointFile;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What preprocessor_config.json says, as {@code CLIPImageProcessor} reads it or, in the layout of transformers, {@code
 * GotOcr2ImageProcessor}.
 *
 * <p>{@code size} is a number, {@code {"shortest_edge": n}} or {@code {"height": n, "width": n}}; {@code crop_size} a
 * number or the latter. Where resizing and cropping are both on they must agree, since the card gives the processor
 * images that have the final size already. {@code resample} says nothing then, and is not looked at. In the layout of
 * transformers images are cut into tiles of {@code size}, and resizing and cropping have no switches: the processor of
 * the whole overrules {@code crop_to_patches}.
 *
 * @param size of the image in pixels, width and height
 * @param rescale whether levels are multiplied by {@code rescaleFactor}
 * @param rescaleFactor 1/255 if the file has none
 * @param normalize whether mean and standard deviation are applied
 * @param mean of each channel, on the scale of the rescaled levels
 * @param std standard deviation of each channel
 * @param tiling how images are cut
 */
record PreprocessorConfig(
        int size,
        boolean rescale,
        double rescaleFactor,
        boolean normalize,
        double[] mean,
        double[] std,
        Tiling tiling) {
    static final String FILE_NAME = "preprocessor_config.json";

    /** Far beyond any vision tower; keeps 3 * S * S within a tensor. */
    private static final int MAX_SIZE = 8192;

    /** As it is where the file has none. */
    private static final int MAX_PATCHES = 12;

    /** PIL.Image.BICUBIC. */
    private static final int BICUBIC = 3;

    private static final String TRANSFORMERS_PROCESSOR = "GotOcr2ImageProcessor";

    /** The field of processor_config.json that is a preprocessor_config.json. */
    private static final String IN_ALL = "image_processor";

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /**
     * Reads and checks the file of {@code CLIPImageProcessor}.
     *
     * @param file preprocessor_config.json
     * @return its content
     * @throws CheckpointException if it cannot be read, a field is missing or malformed, or it is of the other kind
     */
    static PreprocessorConfig read(Path file) {
        return new Fields(file, json(file)).read();
    }

    /**
     * Where a checkpoint in the layout of transformers has its image processor: version 5 writes the processors of a model into
     * one file.
     */
    static Path fileOfTransformers(Path directory) {
        Path own = directory.resolve(FILE_NAME);
        Path all = directory.resolve("processor_config.json");
        return !Files.exists(own) && Files.exists(all) && json(all).has(IN_ALL) ? all : own;
    }

    /**
     * Reads and checks the file of {@code GotOcr2ImageProcessor}.
     *
     * @param file from {@link #fileOfTransformers}
     * @return its content
     * @throws CheckpointException if it cannot be read, or a field is missing or malformed
     */
    static PreprocessorConfig readTransformers(Path file) {
        JsonNode root = json(file);
        return new Fields(file, root.has(IN_ALL) ? root.get(IN_ALL) : root).readTransformers();
    }

    private static JsonNode json(Path file) {
        JsonNode root;
        try {
            root = MAPPER.readTree(CheckpointFile.read(file));
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + " does not exist; it has the size and normalization of images", e);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + " is malformed: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new CheckpointException(file + " cannot be read: " + FileProblems.reason(e), e);
        }
        if (root == null || !root.isObject()) {
            throw new CheckpointException(file + " is malformed: it is not a JSON object");
        }
        return root;
    }

    private record Fields(Path file, JsonNode root) {
        PreprocessorConfig read() {
            String type = root.path("image_processor_type").asText();
            if (type.startsWith(TRANSFORMERS_PROCESSOR)) {
                throw wrong(
                        "image_processor_type",
                        "CLIPImageProcessor: this one belongs to the layout of transformers,"
                                + " which is read with the model's ModelInfo");
            }
            boolean resize = flag("do_resize");
            boolean crop = flag("do_center_crop");
            int size = side("size", resize || !crop);
            int cropSize = side("crop_size", crop && !resize);
            if (resize && crop && cropSize != 0 && cropSize != size) {
                throw wrong("crop_size", "the same as size, " + size);
            }
            return read(resize || !crop ? size : cropSize, Tiling.NONE);
        }

        PreprocessorConfig readTransformers() {
            int most = count("max_patches", MAX_PATCHES, Tiling.LARGEST_MOST);
            int least = count("min_patches", 1, most);
            JsonNode resample = root.path("resample");
            if (!resample.isMissingNode()
                    && !resample.isNull()
                    && !(isInt(resample) && resample.intValue() == BICUBIC)) {
                throw wrong("resample", BICUBIC + ", bicubic");
            }
            return read(side("size", true), new Tiling(true, true, least, most));
        }

        /** What both kinds of processors have. */
        private PreprocessorConfig read(int size, Tiling tiling) {
            boolean rescale = flag("do_rescale");
            boolean normalize = flag("do_normalize");
            JsonNode stated = root.path("rescale_factor");
            double factor = stated.isMissingNode() ? 1 / 255.0 : number("rescale_factor", stated);
            if (rescale && (float) factor < Float.MIN_NORMAL) {
                throw wrong("rescale_factor", "a number above 0");
            }
            double[] mean = normalize ? triple("image_mean") : new double[3];
            double[] std = normalize ? triple("image_std") : new double[] {1, 1, 1};
            for (double deviation : std) {
                if ((float) deviation <= 0) {
                    throw wrong("image_std", "three numbers above 0");
                }
            }
            return new PreprocessorConfig(size, rescale, factor, normalize, mean, std, tiling);
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

        /** A number of tiles. */
        private int count(String name, int absent, int largest) {
            JsonNode node = root.path(name);
            if (node.isMissingNode() || node.isNull()) {
                return absent;
            }
            if (!isInt(node) || node.intValue() < 1 || node.intValue() > largest) {
                throw wrong(name, "a number of tiles from 1 to " + largest);
            }
            return node.intValue();
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
