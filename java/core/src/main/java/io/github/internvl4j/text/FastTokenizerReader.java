package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.text.ByteLevelModel.Merge;
import io.github.internvl4j.text.TokenizerSettings.Named;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Reads a {@code tokenizer.json} with a byte-level BPE, and adds what {@code PreTrainedTokenizerFast} of transformers
 * takes from the settings beside it: flags of added tokens, and which tokens are special. Every step the file names is
 * read; one this library does not do is refused by name.
 */
final class FastTokenizerReader {
    private final JsonFile file;
    private final TokenizerSettings settings;

    FastTokenizerReader(Path path, TokenizerSettings settings) {
        this.file = JsonFile.readExisting(path, "the tokenizer of the checkpoint");
        this.settings = settings;
    }

    FastTokenizer read() {
        UnaryOperator<String> normalizer = normalizer();
        WordSplitter splitter = splitter();
        checkDecoder();
        ByteLevelModel model = model();
        Map<Integer, AddedToken> added = addedTokens(model);
        List<JsonNode> template = template();
        IntList before = new IntList();
        IntList after = new IntList();
        boolean seen = false;
        for (int i = 0; i < template.size(); i++) {
            if (template.get(i).has("Sequence")) {
                seen = true;
            } else {
                addTemplateToken(template.get(i), model.size(), added, seen ? after : before);
            }
        }
        return new FastTokenizer(
                model,
                new FastAddedTokens(added, normalizer),
                new FastTokenizer.Rules(
                        normalizer,
                        splitter,
                        before.toArray(),
                        after.toArray(),
                        settings.cleanUpSpaces(),
                        settings.bos(),
                        settings.eos(),
                        settings.pad()));
    }

    /** The steps of a field that holds none, one, or a Sequence of them. */
    private List<Step> steps(String field, String list) {
        JsonNode node = file.root().path(field);
        if (JsonFile.absent(node)) {
            return List.of();
        }
        if (!node.path("type").asText().equals("Sequence")) {
            return List.of(new Step(field, node));
        }
        List<Step> steps = new ArrayList<>();
        if (!node.path(list).isArray()) {
            throw file.malformed(field + "." + list, "a list", node.path(list));
        }
        for (int i = 0; i < node.path(list).size(); i++) {
            steps.add(
                    new Step(field + "." + list + "[" + i + "]", node.path(list).get(i)));
        }
        return steps;
    }

    private record Step(String field, JsonNode node) {
        String type() {
            return node.path("type").asText();
        }
    }

    private UnsupportedModelException unsupported(String field, JsonNode found, String implemented) {
        return new UnsupportedModelException(file.path() + ": " + field + " is " + JsonFile.shown(found) + "; only "
                + implemented + " is implemented");
    }

    private void require(Step step, String member, boolean value, boolean otherwise) {
        if (file.flag(step.node(), step.field() + ".", member, otherwise) != value) {
            throw unsupported(step.field() + "." + member, step.node().path(member), "" + value);
        }
    }

    private UnaryOperator<String> normalizer() {
        UnaryOperator<String> normalizer = text -> text;
        for (Step step : steps("normalizer", "normalizers")) {
            if (!step.type().equals("NFC")) {
                throw unsupported(step.field() + ".type", step.node().path("type"), "\"NFC\"");
            }
            normalizer = FastNormalizer::nfc;
        }
        return normalizer;
    }

    private WordSplitter splitter() {
        List<Step> steps = steps("pre_tokenizer", "pretokenizers");
        if (steps.size() != 2
                || !steps.get(0).type().equals("Split")
                || !steps.get(1).type().equals("ByteLevel")) {
            throw unsupported(
                    "pre_tokenizer", file.root().path("pre_tokenizer"), "a Sequence of a Split and a ByteLevel");
        }
        Step split = steps.get(0);
        JsonNode regex = split.node().path("pattern").path("Regex");
        OptionalInt digits = WordSplitter.maxDigits(regex.asText());
        if (digits.isEmpty()) {
            throw unsupported(split.field() + ".pattern.Regex", regex, "the pattern of Qwen2 and Llama 3");
        }
        if (!split.node().path("behavior").asText().equals("Isolated")) {
            throw unsupported(split.field() + ".behavior", split.node().path("behavior"), "\"Isolated\"");
        }
        require(split, "invert", false, false);
        require(steps.get(1), "add_prefix_space", false, true);
        require(steps.get(1), "use_regex", false, true);
        return new WordSplitter(digits.getAsInt(), UnicodeLetters.UNICODE_16);
    }

    private void checkDecoder() {
        List<Step> steps = steps("decoder", "decoders");
        if (steps.size() != 1 || !steps.get(0).type().equals("ByteLevel")) {
            throw unsupported("decoder", file.root().path("decoder"), "ByteLevel");
        }
    }

    /** What surrounds a text; the post-processor's other members only matter for offsets. */
    private List<JsonNode> template() {
        List<JsonNode> template = new ArrayList<>();
        for (Step step : steps("post_processor", "processors")) {
            if (step.type().equals("TemplateProcessing") && template.isEmpty()) {
                JsonNode single = step.node().path("single");
                long texts = 0;
                for (JsonNode part : single) {
                    texts += part.has("Sequence") ? 1 : 0;
                    template.add(part);
                }
                if (texts != 1) {
                    throw file.malformed(step.field() + ".single", "a list with one Sequence", single);
                }
            } else if (!step.type().equals("ByteLevel")) {
                throw unsupported(
                        step.field() + ".type", step.node().path("type"), "ByteLevel or one" + " TemplateProcessing");
            }
        }
        return template;
    }

    private void addTemplateToken(JsonNode part, int size, Map<Integer, AddedToken> added, IntList out) {
        String name = part.path("SpecialToken").path("id").asText();
        for (Step step : steps("post_processor", "processors")) {
            JsonNode ids = step.node().path("special_tokens").path(name).path("ids");
            for (JsonNode id : ids) {
                if (!id.isInt() || id.intValue() < 0 || id.intValue() >= size && !added.containsKey(id.intValue())) {
                    throw file.malformed(
                            step.field() + ".special_tokens." + name + ".ids", "ids of the vocabulary", ids);
                }
                out.add(id.intValue());
            }
            if (!ids.isEmpty()) {
                return;
            }
        }
        throw file.malformed("post_processor's template", "tokens that its special_tokens list", part);
    }

    private ByteLevelModel model() {
        JsonNode model = file.root().path("model");
        JsonNode type = model.path("type");
        if (!type.asText().equals("BPE")) {
            throw unsupported("model.type", type, "\"BPE\"");
        }
        for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            if (!model.path(affix).asText("").isEmpty() && !model.path(affix).isNull()) {
                throw unsupported("model." + affix, model.path(affix), "none");
            }
        }
        if (model.path("dropout").asDouble(0) != 0) {
            throw unsupported("model.dropout", model.path("dropout"), "0");
        }
        require(new Step("model", model), "byte_fallback", false, false);
        JsonNode vocabulary = model.path("vocab");
        if (!vocabulary.isObject()) {
            throw file.malformed("model.vocab", "an object", vocabulary);
        }
        return new ByteLevelModel(
                VocabularyFiles.ids(file, "model.vocab.", vocabulary),
                file.path() + ": model.vocab",
                merges(model.path("merges")),
                rank -> file.path() + ": model.merges[" + rank + "]",
                file.flag(model, "model.", "ignore_merges", false));
    }

    private List<Merge> merges(JsonNode list) {
        if (!list.isArray()) {
            throw file.malformed("model.merges", "a list", list);
        }
        List<Merge> merges = new ArrayList<>(list.size());
        for (JsonNode merge : list) {
            String[] parts = merge.isTextual()
                    ? merge.textValue().split(" ", -1)
                    : merge.size() == 2
                            ? new String[] {
                                merge.path(0).asText(), merge.path(1).asText()
                            }
                            : new String[0];
            if (parts.length != 2) {
                throw file.malformed(
                        "model.merges[" + merges.size() + "]", "\"left right\" or [\"left\", \"right\"]", merge);
            }
            merges.add(new Merge(parts[0], parts[1]));
        }
        return merges;
    }

    private Map<Integer, AddedToken> addedTokens(ByteLevelModel model) {
        Map<Integer, AddedToken> byId = new LinkedHashMap<>();
        Map<String, Integer> ids = new HashMap<>();
        JsonNode list = file.root().path("added_tokens");
        if (!list.isArray() && !JsonFile.absent(list)) {
            throw file.malformed("added_tokens", "a list", list);
        }
        for (int i = 0; i < list.size(); i++) {
            String field = "added_tokens[" + i + "]";
            AddedToken token = file.addedToken(list.get(i), field);
            int id = add(token, model, byId, ids);
            if (list.get(i).path("id").asInt(-1) != id) {
                throw file.malformed(
                        field + ".id",
                        id + ", the place of " + token.content() + " in the vocabulary or" + " the next one behind it",
                        list.get(i).path("id"));
            }
        }
        // As PreTrainedTokenizerFast.__init__: the settings' flags go before the file's, what is special stays special.
        for (AddedToken token : new TreeMap<>(settings.declared()).values()) {
            if (settings.flagged() || !ids.containsKey(token.content())) {
                add(token, model, byId, ids);
            }
        }
        for (List<Named> names : List.of(settings.named(), settings.additional(), settings.extra())) {
            for (Named name : names) {
                Integer known = ids.get(name.content());
                AddedToken token = known == null ? AddedToken.plain(name.content()) : byId.get(known);
                if (token != null && !name.content().isEmpty()) {
                    add(token.asSpecial(), model, byId, ids);
                }
            }
        }
        return byId;
    }

    private static int add(
            AddedToken token, ByteLevelModel model, Map<Integer, AddedToken> byId, Map<String, Integer> ids) {
        Integer known = ids.get(token.content());
        int id = known != null
                ? known
                : model.find(token.content())
                        .orElseGet(() ->
                                byId.keySet().stream().mapToInt(i -> i + 1).reduce(model.size(), Math::max));
        AddedToken before = byId.get(id);
        byId.put(id, before != null && before.special() ? token.asSpecial() : token);
        ids.put(token.content(), id);
        return id;
    }
}
