package io.github.internvl4j.text;

import java.util.Map;

/** The classes of transformers that checkpoints of this family name, and what is special to each without being said. */
enum TokenizerClass {
    /** {@code LlamaTokenizer}. */
    LLAMA(true, true, Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>")),
    /** {@code InternLM2Tokenizer}, from the checkpoint's own code. */
    INTERNLM2(true, true, Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>", "pad_token", "</s>")),
    /** {@code Qwen2Tokenizer} and its fast twin; neither ever adds bos or eos, whatever the settings say. */
    QWEN2(
            false,
            false,
            Map.of("eos_token", "<|endoftext|>", "unk_token", "<|endoftext|>", "pad_token", "<|endoftext|>")),
    /** {@code PreTrainedTokenizerFast}, called {@code TokenizersBackend} since transformers 5. */
    FAST(false, false, Map.of());

    private final boolean surrounds;
    private final boolean addBos;

    @SuppressWarnings("ImmutableEnumChecker") // those that Map.of makes are
    private final Map<String, String> defaultTokens;

    TokenizerClass(boolean surrounds, boolean addBos, Map<String, String> defaultTokens) {
        this.surrounds = surrounds;
        this.addBos = addBos;
        this.defaultTokens = defaultTokens;
    }

    /** Whether add_bos_token and add_eos_token are looked at. */
    boolean surrounds() {
        return surrounds;
    }

    /** What add_bos_token is if the settings do not say. */
    boolean addBos() {
        return addBos;
    }

    /** The special tokens of settings that do not name them. */
    Map<String, String> defaultTokens() {
        return defaultTokens;
    }
}
