package io.github.internvl4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A line of a training set: {@code {"image": "a.jpg", "conversations": [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value":
 * "A dog."}]}}. The field "image" may be a list, or missing. Other fields are not looked at.
 *
 * @param images paths as they are written
 * @param single whether the one image is not in a list: then it may have no place in the text
 * @param dialog what is said
 * @param length an estimate of its tokens, where the line has one
 */
record Line(List<String> images, boolean single, List<Message> dialog, OptionalInt length) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final int SHOWN = 80;

    static Line parse(byte[] bytes) throws BadSampleException {
        JsonNode root;
        try {
            root = JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new BadSampleException("not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new BadSampleException("not valid JSON: " + e.getMessage(), e);
        }
        if (!root.isObject()) {
            throw unexpected("the line", "an object", root);
        }
        List<String> images = images(root.path("image"));
        if (images.isEmpty() && !isNothing(root.path("video"))) {
            throw new BadSampleException("has a video, which is not learnt from; give its frames as a list of images");
        }
        return new Line(images, root.path("image").isTextual(), dialog(root.path("conversations")), length(root));
    }

    private static boolean isNothing(JsonNode value) {
        return value.isMissingNode()
                || value.isNull()
                || value.isTextual() && value.textValue().isEmpty();
    }

    private static List<String> images(JsonNode image) throws BadSampleException {
        if (isNothing(image)) {
            return List.of();
        }
        if (image.isTextual()) {
            return List.of(image.textValue());
        }
        if (!image.isArray()) {
            throw unexpected("image", "a path or a list of paths", image);
        }
        List<String> paths = new ArrayList<>();
        for (JsonNode path : image) {
            if (!path.isTextual()) {
                throw unexpected("image[" + paths.size() + "]", "a path", path);
            }
            paths.add(path.textValue());
        }
        return paths;
    }

    private static List<Message> dialog(JsonNode conversations) throws BadSampleException {
        if (!conversations.isArray() || conversations.isEmpty()) {
            throw unexpected("conversations", "a list of turns", conversations);
        }
        List<Message> dialog = new ArrayList<>();
        for (JsonNode turn : conversations) {
            String name = "conversations[" + dialog.size() + "]";
            if (!turn.path("from").isTextual()) {
                throw unexpected(name + ".from", "human or gpt", turn.path("from"));
            }
            if (!turn.path("value").isTextual()) {
                throw unexpected(name + ".value", "a text", turn.path("value"));
            }
            Message.Author author = Message.Author.of(turn.path("from").textValue());
            dialog.add(new Message(author, turn.path("value").textValue()));
        }
        return dialog;
    }

    private static OptionalInt length(JsonNode root) throws BadSampleException {
        JsonNode length = root.path("length");
        if (length.isMissingNode()) {
            return OptionalInt.empty();
        }
        if (!length.isIntegralNumber() || !length.canConvertToInt() || length.intValue() < 0) {
            throw unexpected("length", "a number of tokens", length);
        }
        return OptionalInt.of(length.intValue());
    }

    private static BadSampleException unexpected(String field, String expected, JsonNode found) {
        String text = found.isMissingNode() ? "missing" : found.toString();
        String shown = text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text;
        return new BadSampleException(field + " is " + shown + ", expected " + expected);
    }
}
