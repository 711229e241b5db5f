package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Picks the tokenizer of a checkpoint; {@link Tokenizer#load} says by what. */
final class TokenizerLoader {
    private final Path directory;
    private final JsonFile config;

    private TokenizerLoader(Path directory) {
        this.directory = directory;
        this.config = JsonFile.read(directory.resolve("tokenizer_config.json"));
    }

    static Tokenizer load(Path directory) {
        return new TokenizerLoader(directory).load();
    }

    private Tokenizer load() {
        TokenizerClass kind = kind();
        TokenizerSettings settings = TokenizerSettingsReader.read(config, kind);
        return switch (kind) {
            case LLAMA -> llama(settings);
            case INTERNLM2 -> internLm2(settings);
            case QWEN2 -> isTransformersNative() || hasOnlyTokenizerJson() ? fast(settings) : qwen2(settings);
            case FAST -> fast(settings);
        };
    }

    private TokenizerClass kind() {
        JsonNode name = config.root().path("tokenizer_class");
        if (JsonFile.absent(name)) {
            return TokenizerClass.LLAMA;
        }
        return switch (name.asText()) {
            case "LlamaTokenizer", "LlamaTokenizerFast" -> {
                if (isTransformersNative()) {
                    throw new UnsupportedModelException(config.path() + ": tokenizer_class is " + name
                            + " in a transformers-native checkpoint, whose tokenizer is the fast one of tokenizer.json;"
                            + " only byte-level BPE is implemented there (Qwen2Tokenizer, PreTrainedTokenizerFast)");
                }
                yield TokenizerClass.LLAMA;
            }
            case "InternLM2Tokenizer", "InternLM2TokenizerFast" -> TokenizerClass.INTERNLM2;
            case "Qwen2Tokenizer", "Qwen2TokenizerFast" -> TokenizerClass.QWEN2;
            case "PreTrainedTokenizerFast", "TokenizersBackend" -> TokenizerClass.FAST;
            default ->
                throw new UnsupportedModelException(config.path() + ": tokenizer_class is "
                        + JsonFile.shown(name) + "; implemented are LlamaTokenizer, InternLM2Tokenizer, Qwen2Tokenizer,"
                        + " PreTrainedTokenizerFast and TokenizersBackend");
        };
    }

    /** Whether transformers itself knows the architecture; its processor takes the fast tokenizer. */
    private boolean isTransformersNative() {
        return JsonFile.read(directory.resolve("config.json"))
                .root()
                .path("model_type")
                .asText()
                .equals("internvl");
    }

    private boolean hasOnlyTokenizerJson() {
        return !Files.exists(directory.resolve("vocab.json"))
                && !Files.exists(directory.resolve("merges.txt"))
                && Files.exists(directory.resolve("tokenizer.json"));
    }

    private SentencePieceModel sentencePiece() {
        return SentencePieceModel.read(directory.resolve("tokenizer.model"));
    }

    private Tokenizer llama(TokenizerSettings settings) {
        if (!settings.legacy() && settings.unknown() == null) {
            throw new CheckpointException(config.path() + ": unk_token is null; expected a token, as legacy is false");
        }
        SentencePieceModel model =
                settings.legacy() ? sentencePiece() : sentencePiece().withoutDummyPrefix();
        SlowAddedTokens added = new SlowAddedTokens(model, settings);
        return new SlowTokenizer(settings, model, added, new LlamaRules(model, settings, added));
    }

    private Tokenizer internLm2(TokenizerSettings settings) {
        SentencePieceModel model = sentencePiece();
        SlowAddedTokens added = new SlowAddedTokens(model, settings);
        return new SlowTokenizer(settings, model, added, new InternLm2Rules(model, settings, added));
    }

    private Tokenizer qwen2(TokenizerSettings settings) {
        ByteLevelModel model = VocabularyFiles.read(directory);
        SlowAddedTokens added = new SlowAddedTokens(model, settings);
        return new SlowTokenizer(settings, model, added, new Qwen2Rules(model, added));
    }

    private Tokenizer fast(TokenizerSettings settings) {
        return new FastTokenizerReader(directory.resolve("tokenizer.json"), settings).read();
    }
}
