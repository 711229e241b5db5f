package io.github.internvl4j.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.CheckpointFile;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A JSON file of a checkpoint whose top level is an object, read with messages that name file and field.
 *
 * @param path the file
 * @param root what it holds; empty if there is no such file
 */
record JsonFile(Path path, ObjectNode root) {
    /** Published files have up to 35 MB. */
    private static final long MAX_BYTES = 64L << 20;

    /** A vocabulary has a hundred thousand names, each once: remembering names costs more than it saves. */
    private static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static JsonFile read(Path path) {
        if (!Files.exists(path)) {
            return new JsonFile(path, JsonNodeFactory.instance.objectNode());
        }
        JsonNode node;
        try {
            long bytes = Files.size(path);
            if (bytes > MAX_BYTES) {
                throw new CheckpointException(path + ": " + bytes + " bytes; expected at most " + MAX_BYTES);
            }
            node = JSON.readTree(CheckpointFile.read(path));
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
            throw new CheckpointException(path + ": not valid JSON: " + e.getOriginalMessage() + where, e);
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read: " + FileProblems.reason(e), e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw malformed(path, "the top level", "an object", node);
        }
        return new JsonFile(path, object);
    }

    static JsonFile readExisting(Path path, String what) {
        if (!Files.exists(path)) {
            throw new CheckpointException(path + ": no such file; expected " + what);
        }
        return read(path);
    }

    /** A boolean of an object of this file; {@code prefix} is the object's own name with a dot, for messages. */
    boolean flag(JsonNode object, String prefix, String field, boolean otherwise) {
        JsonNode value = object.path(field);
        if (absent(value)) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw malformed(prefix + field, "true or false", value);
        }
        return value.booleanValue();
    }

    boolean flag(String field, boolean otherwise) {
        return flag(root, "", field, otherwise);
    }

    /** An added token as {@code tokenizer_config.json} and {@code tokenizer.json} write it. */
    AddedToken addedToken(JsonNode token, String field) {
        if (!token.isObject()) {
            throw malformed(field, "an object", token);
        }
        JsonNode content = token.path("content");
        if (!content.isTextual()) {
            throw malformed(field + ".content", "a string", content);
        }
        String prefix = field + ".";
        boolean special = flag(token, prefix, "special", false);
        return new AddedToken(
                content.textValue(),
                flag(token, prefix, "lstrip", false),
                flag(token, prefix, "rstrip", false),
                flag(token, prefix, "single_word", false),
                flag(token, prefix, "normalized", !special),
                special);
    }

    static boolean absent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    CheckpointException malformed(String field, String expected, JsonNode found) {
        return malformed(path, field, expected, found);
    }

    private static CheckpointException malformed(Path path, String field, String expected, JsonNode found) {
        return new CheckpointException(path + ": " + field + " is " + shown(found) + "; expected " + expected);
    }

    /** A value for a message, cut if it is long. */
    static String shown(JsonNode found) {
        String text = found.isMissingNode() ? "missing" : found.toString();
        return text.length() > 120 ? text.substring(0, 120) + "..." : text;
    }
}
