package io.github.internvl4j.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.runtime.CheckpointFile;
import io.github.internvl4j.text.TokenizerSettings.Named;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json} the way
 * {@code PreTrainedTokenizerBase._from_pretrained} and {@code LlamaTokenizer.__init__} of transformers 4.57 do: with
 * {@code added_tokens_decoder} in the first file the other two are not looked at; without it, the special tokens of the
 * second overrule those of the first and the third lists the added ones. Every file may be missing, every field too;
 * the defaults are LlamaTokenizer's.
 */
final class TokenizerSettingsReader {
    /** Far above any vocabulary; it keeps a hostile id from sizing anything. */
    private static final int MAX_ID = 10_000_000;

    private static final List<String> NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final Map<String, String> DEFAULT_TOKENS =
            Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>");

    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private final Path configFile;
    private final Path specialFile;
    private final Path addedFile;
    private final ObjectNode config;

    private TokenizerSettingsReader(Path directory) {
        configFile = directory.resolve("tokenizer_config.json");
        specialFile = directory.resolve("special_tokens_map.json");
        addedFile = directory.resolve("added_tokens.json");
        config = readObject(configFile);
    }

    static TokenizerSettings read(Path directory) {
        TokenizerSettingsReader reader = new TokenizerSettingsReader(directory);
        reader.refuseWhatIsNotImplemented();
        return reader.settings(directory.toString());
    }

    private void refuseWhatIsNotImplemented() {
        JsonNode type = config.path("tokenizer_class");
        if (!type.isMissingNode() && !type.isNull()
                && !type.asText().equals("LlamaTokenizer") && !type.asText().equals("LlamaTokenizerFast")) {
            throw new UnsupportedModelException(configFile + ": tokenizer_class is " + type
                    + "; only LlamaTokenizer is implemented");
        }
        if (!flag("legacy", true)) {
            throw new UnsupportedModelException(configFile + ": legacy is false; only the legacy LlamaTokenizer is"
                    + " implemented");
        }
        if (flag("split_special_tokens", false)) {
            throw new UnsupportedModelException(configFile + ": split_special_tokens is true; not implemented");
        }
        if (config.path("sp_model_kwargs").path("enable_sampling").asBoolean(false)) {
            throw new UnsupportedModelException(configFile
                    + ": sp_model_kwargs.enable_sampling is true; not implemented");
        }
    }

    private TokenizerSettings settings(String directory) {
        Map<Integer, AddedToken> declared = new LinkedHashMap<>();
        Map<String, JsonNode> tokens = new LinkedHashMap<>();
        Map<String, Path> origins = new LinkedHashMap<>();
        List<Named> additional = additional(config, configFile);
        for (String name : NAMES) {
            if (config.has(name)) {
                tokens.put(name, config.get(name));
                origins.put(name, configFile);
            }
        }
        if (config.hasNonNull("added_tokens_decoder")) {
            readDecoder(declared);
        } else {
            ObjectNode special = readObject(specialFile);
            for (String name : NAMES) {
                if (special.has(name)) {
                    tokens.put(name, special.get(name));
                    origins.put(name, specialFile);
                }
            }
            additional.addAll(additional(special, specialFile));
            readObject(addedFile).properties().forEach(entry -> {
                JsonNode value = entry.getValue();
                int id = value.isIntegralNumber() && value.canConvertToInt() ? value.intValue() : -1;
                declared.put(id(id, addedFile, entry.getKey()), AddedToken.plain(entry.getKey()));
            });
        }
        Map<String, AddedToken> byContent = new LinkedHashMap<>();
        declared.values().forEach(token -> byContent.put(token.content(), token));
        Map<String, Named> named = new LinkedHashMap<>();
        for (String name : NAMES) {
            Named token = tokens.containsKey(name)
                    ? named(tokens.get(name), origins.getOrDefault(name, configFile), name)
                    : DEFAULT_TOKENS.containsKey(name) ? new Named(DEFAULT_TOKENS.get(name), null) : null;
            if (token != null) {
                AddedToken known = byContent.get(token.content());
                named.put(name, known == null ? token : new Named(token.content(), known));
            }
        }
        return new TokenizerSettings(directory, flag("add_bos_token", true), flag("add_eos_token", false),
                flag("add_prefix_space", true), flag("clean_up_tokenization_spaces", false), declared,
                content(named.get("bos_token")), content(named.get("eos_token")),
                List.copyOf(named.values()), additional);
    }

    private static @Nullable String content(@Nullable Named token) {
        return token == null ? null : token.content();
    }

    private void readDecoder(Map<Integer, AddedToken> declared) {
        JsonNode decoder = config.get("added_tokens_decoder");
        if (!decoder.isObject()) {
            throw malformed(configFile, "added_tokens_decoder", "an object", decoder);
        }
        decoder.properties().forEach(entry -> {
            String field = "added_tokens_decoder." + entry.getKey();
            int id;
            try {
                id = Integer.parseInt(entry.getKey());
            } catch (NumberFormatException e) {
                id = -1;
            }
            if (!entry.getValue().isObject()) {
                throw malformed(configFile, field, "an object", entry.getValue());
            }
            declared.put(id(id, configFile, field), addedToken(entry.getValue(), configFile, field));
        });
    }

    private static int id(int id, Path file, String field) {
        if (id < 0 || id > MAX_ID) {
            throw new CheckpointException(file + ": \"" + field + "\" has no usable token id; expected 0 to " + MAX_ID);
        }
        return id;
    }

    private static List<Named> additional(ObjectNode source, Path file) {
        List<Named> tokens = new ArrayList<>();
        JsonNode list = source.path("additional_special_tokens");
        if (list.isMissingNode() || list.isNull()) {
            return tokens;
        }
        if (!list.isArray()) {
            throw malformed(file, "additional_special_tokens", "a list", list);
        }
        for (int i = 0; i < list.size(); i++) {
            Named token = named(list.get(i), file, "additional_special_tokens[" + i + "]");
            if (token == null) {
                throw malformed(file, "additional_special_tokens[" + i + "]", "a string or an object", list.get(i));
            }
            tokens.add(token);
        }
        return tokens;
    }

    private static @Nullable Named named(@Nullable JsonNode value, Path file, String field) {
        if (value == null || value.isNull()) {
            return null;
        }
        if (value.isTextual()) {
            return new Named(value.textValue(), null);
        }
        if (!value.isObject()) {
            throw malformed(file, field, "a string or an object", value);
        }
        AddedToken token = addedToken(value, file, field);
        return new Named(token.content(), token);
    }

    private static AddedToken addedToken(JsonNode token, Path file, String field) {
        JsonNode content = token.path("content");
        if (!content.isTextual()) {
            throw malformed(file, field + ".content", "a string", content);
        }
        return new AddedToken(content.textValue(), flag(token, "lstrip", false, file, field + "."),
                flag(token, "rstrip", false, file, field + "."), flag(token, "single_word", false, file, field + "."));
    }

    private boolean flag(String field, boolean otherwise) {
        return flag(config, field, otherwise, configFile, "");
    }

    private static boolean flag(JsonNode node, String field, boolean otherwise, Path file, String prefix) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw malformed(file, prefix + field, "true or false", value);
        }
        return value.booleanValue();
    }

    private static ObjectNode readObject(Path file) {
        if (!Files.exists(file)) {
            return JsonNodeFactory.instance.objectNode();
        }
        JsonNode node;
        try {
            node = JSON.readTree(CheckpointFile.read(file));
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + ": not valid JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + FileProblems.reason(e), e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw malformed(file, "the top level", "an object", node);
        }
        return object;
    }

    private static CheckpointException malformed(Path file, String field, String expected, JsonNode found) {
        String shown = found.isMissingNode() ? "missing" : found.toString();
        return new CheckpointException(file + ": " + field + " is "
                + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown) + "; expected " + expected);
    }
}
