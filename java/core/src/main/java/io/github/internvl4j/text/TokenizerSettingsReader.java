package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.text.TokenizerSettings.Named;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json} the way
 * {@code PreTrainedTokenizerBase._from_pretrained} and the {@code __init__} of the classes of transformers 4.57 do:
 * with {@code added_tokens_decoder} in the first file the other two are not looked at; without it, the special tokens
 * of the second overrule those of the first and the third lists the added ones. Every file may be missing, every field
 * too; the defaults are those of the class.
 */
final class TokenizerSettingsReader {
    /** Far above any vocabulary; it keeps a hostile id from sizing anything. */
    private static final int MAX_ID = 10_000_000;

    private static final List<String> NAMES =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private final Path directory;
    private final TokenizerClass kind;
    private final JsonFile config;

    private TokenizerSettingsReader(JsonFile config, TokenizerClass kind) {
        this.directory = config.path().resolveSibling("");
        this.kind = kind;
        this.config = config;
    }

    /** @param config the checkpoint's tokenizer_config.json */
    static TokenizerSettings read(JsonFile config, TokenizerClass kind) {
        TokenizerSettingsReader reader = new TokenizerSettingsReader(config, kind);
        reader.refuseWhatIsNotImplemented();
        return reader.settings();
    }

    private void refuseWhatIsNotImplemented() {
        if (config.flag("split_special_tokens", false)) {
            throw new UnsupportedModelException(config.path() + ": split_special_tokens is true; not implemented");
        }
        if (config.root().path("sp_model_kwargs").path("enable_sampling").asBoolean(false)) {
            throw new UnsupportedModelException(
                    config.path() + ": sp_model_kwargs.enable_sampling is true; not implemented");
        }
        JsonNode errors = config.root().path("errors");
        if (!JsonFile.absent(errors) && !errors.asText().equals("replace")) {
            throw new UnsupportedModelException(
                    config.path() + ": errors is " + JsonFile.shown(errors) + "; only \"replace\" is implemented");
        }
    }

    private TokenizerSettings settings() {
        Map<Integer, AddedToken> declared = new LinkedHashMap<>();
        Map<String, Named> named = new LinkedHashMap<>();
        kind.defaultTokens().forEach((name, content) -> named.put(name, new Named(content, null)));
        List<Named> additional = additional(config);
        readNamed(config, named);
        boolean flagged = config.root().has("added_tokens_decoder");
        if (flagged) {
            readDecoder(declared);
        } else {
            JsonFile special = JsonFile.read(directory.resolve("special_tokens_map.json"));
            readNamed(special, named);
            additional.addAll(additional(special));
            readAdded(JsonFile.read(directory.resolve("added_tokens.json")), declared);
        }
        Map<String, AddedToken> byContent = new LinkedHashMap<>();
        declared.values().forEach(token -> byContent.put(token.content(), token));
        named.replaceAll((name, token) -> {
            AddedToken known = byContent.get(token.content());
            return known == null ? token : new Named(token.content(), known);
        });
        List<Named> inOrder =
                NAMES.stream().filter(named::containsKey).map(named::get).toList();
        return new TokenizerSettings(
                directory.toString(),
                kind.surrounds() && config.flag("add_bos_token", kind.addBos()),
                kind.surrounds() && config.flag("add_eos_token", false),
                config.flag("add_prefix_space", true),
                config.flag("legacy", true),
                config.flag("clean_up_tokenization_spaces", false),
                declared,
                flagged,
                content(named.get("bos_token")),
                content(named.get("eos_token")),
                content(named.get("pad_token")),
                content(named.get("unk_token")),
                inOrder,
                additional,
                extra());
    }

    private static @Nullable String content(@Nullable Named token) {
        return token == null ? null : token.content();
    }

    private void readNamed(JsonFile source, Map<String, Named> named) {
        for (String name : NAMES) {
            if (source.root().has(name)) {
                Named token = named(source, source.root().get(name), name);
                if (token == null) {
                    named.remove(name);
                } else {
                    named.put(name, token);
                }
            }
        }
    }

    private void readDecoder(Map<Integer, AddedToken> declared) {
        JsonNode decoder = config.root().get("added_tokens_decoder");
        if (!decoder.isObject()) {
            throw config.malformed("added_tokens_decoder", "an object", decoder);
        }
        decoder.properties().forEach(entry -> {
            String field = "added_tokens_decoder." + entry.getKey();
            int id;
            try {
                id = Integer.parseInt(entry.getKey());
            } catch (NumberFormatException e) {
                id = -1;
            }
            declared.put(id(id, config, field), config.addedToken(entry.getValue(), field));
        });
    }

    private static void readAdded(JsonFile source, Map<Integer, AddedToken> declared) {
        source.root().properties().forEach(entry -> {
            JsonNode value = entry.getValue();
            int id = value.isIntegralNumber() && value.canConvertToInt() ? value.intValue() : -1;
            AddedToken token = new AddedToken(entry.getKey(), false, false, false, true, false);
            AddedToken other = declared.put(id(id, source, entry.getKey()), token);
            if (other != null) {
                throw new CheckpointException(source.path() + ": \"" + entry.getKey() + "\" has the id " + id + " of \""
                        + other.content() + "\"; expected an id of its own");
            }
        });
    }

    private static int id(int id, JsonFile source, String field) {
        if (id < 0 || id > MAX_ID) {
            throw new CheckpointException(
                    source.path() + ": \"" + field + "\" has no usable token id; expected 0 to " + MAX_ID);
        }
        return id;
    }

    private static List<Named> additional(JsonFile source) {
        List<Named> tokens = new ArrayList<>();
        JsonNode list = source.root().path("additional_special_tokens");
        if (JsonFile.absent(list)) {
            return tokens;
        }
        if (!list.isArray()) {
            throw source.malformed("additional_special_tokens", "a list", list);
        }
        for (int i = 0; i < list.size(); i++) {
            tokens.add(required(source, list.get(i), "additional_special_tokens[" + i + "]"));
        }
        return tokens;
    }

    private List<Named> extra() {
        List<Named> tokens = new ArrayList<>();
        JsonNode extra = config.root().path("extra_special_tokens");
        if (extra instanceof ObjectNode object) {
            object.properties()
                    .forEach(entry ->
                            tokens.add(required(config, entry.getValue(), "extra_special_tokens." + entry.getKey())));
        } else if (extra.isArray()) { // as transformers 5 writes it
            for (int i = 0; i < extra.size(); i++) {
                tokens.add(required(config, extra.get(i), "extra_special_tokens[" + i + "]"));
            }
        } else if (!JsonFile.absent(extra)) {
            throw config.malformed("extra_special_tokens", "an object or a list", extra);
        }
        return tokens;
    }

    private static Named required(JsonFile source, JsonNode value, String field) {
        Named token = named(source, value, field);
        if (token == null) {
            throw source.malformed(field, "a string or an object", value);
        }
        return token;
    }

    private static @Nullable Named named(JsonFile source, JsonNode value, String field) {
        if (value.isNull()) {
            return null;
        }
        if (value.isTextual()) {
            return new Named(value.textValue(), null);
        }
        if (!value.isObject()) {
            throw source.malformed(field, "a string or an object", value);
        }
        AddedToken token = source.addedToken(value, field);
        return new Named(token.content(), token);
    }
}
