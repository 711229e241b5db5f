package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tokenizer of a checkpoint: token for token what transformers 4.57.6 makes of the same folder, with the quirks it
 * has. Immutable and safe for many threads.
 *
 * <p>A lone surrogate in a text counts as U+FFFD, as UTF-8 has no bytes for it.
 */
public interface Tokenizer {
    /**
     * Reads the tokenizer of a checkpoint folder. Which one that is follows from {@code model_type} of config.json and
     * {@code tokenizer_class} of tokenizer_config.json:
     *
     * <table>
     *   <caption>Where the vocabulary is</caption>
     *   <tr><td>LlamaTokenizer, InternLM2Tokenizer</td><td>tokenizer.model (SentencePiece)</td></tr>
     *   <tr><td>Qwen2Tokenizer</td><td>vocab.json and merges.txt (byte-level BPE); if both are missing, tokenizer.json
     *     </td></tr>
     *   <tr><td>PreTrainedTokenizerFast, TokenizersBackend; Qwen2Tokenizer if {@code model_type} is "internvl"</td>
     *     <td>tokenizer.json</td></tr>
     * </table>
     *
     * <p>Without a {@code tokenizer_class} the tokenizer is a LlamaTokenizer.
     *
     * @param directory the checkpoint folder
     * @return the tokenizer
     * @throws CheckpointException if a file is malformed or missing
     * @throws io.github.internvl4j.error.UnsupportedModelException if the checkpoint needs another tokenizer
     */
    static Tokenizer load(Path directory) {
        Objects.requireNonNull(directory, "directory");
        return TokenizerLoader.load(directory);
    }

    /**
     * Encodes a text; special and other added tokens in it become themselves. The tokens that begin and end a text are
     * put around it if the checkpoint asks for that.
     *
     * @param text any text
     * @return its token ids
     */
    int[] encode(String text);

    /**
     * Encodes a text as nothing but text: what {@link #findMark} would find in it is spelled out in ordinary pieces.
     *
     * @param text any text
     * @return its token ids, none of them an added token, apart from those that the checkpoint puts around every text
     */
    default int[] encodeLiteral(String text) {
        Objects.requireNonNull(text, "text");
        return encode(List.of(new Stretch(text, true)));
    }

    /**
     * Encodes stretches one after the other: tokens become themselves, or are spelled out where a stretch is literal.
     *
     * @param stretches the text in its parts
     * @return the token ids; those of {@link #encode(String)} of the whole if the literal stretches have no {@linkplain
     *     #findMark marks} in them
     */
    int[] encode(List<Stretch> stretches);

    /**
     * Decodes token ids.
     *
     * @param ids token ids
     * @param skipSpecial whether {@linkplain #isSpecial special} tokens are left out
     * @return the text
     * @throws InvalidOptionException if an id is not in the vocabulary
     */
    String decode(int[] ids, boolean skipSpecial);

    /**
     * Decodes token ids one by one, without special tokens.
     *
     * @return a decoder for one answer
     */
    StreamDecoder newDecoder();

    /**
     * The id of a token given by its text, as {@code convert_tokens_to_ids}.
     *
     * @param token the text of an added token, or of a piece as the vocabulary writes it
     * @return its id, or empty if there is no such token
     */
    OptionalInt tokenId(String token);

    /**
     * The text of a token, as {@code convert_ids_to_tokens}.
     *
     * @param id a token id
     * @return the text of the added token, or of the piece as the vocabulary writes it: with U+2581 for a space
     *     (SentencePiece), or with one printable character for each byte (byte-level)
     * @throws InvalidOptionException if the id is not in the vocabulary
     */
    String tokenText(int id);

    /**
     * What a token adds to a text, whatever stands beside it.
     *
     * @param id a token id
     * @return UTF-8, perhaps only a part of a character
     * @throws InvalidOptionException if the id is not in the vocabulary
     */
    byte[] tokenBytes(int id);

    /**
     * Whether there is a token of this id. A model may have more rows than its tokenizer has tokens.
     *
     * @param id any number
     * @return whether {@link #tokenText} knows it
     */
    boolean contains(int id);

    /**
     * Whether decoding leaves a token out when it skips special ones. Which those are is another question in every
     * class: the checkpoint's files say so, and not the look of a token.
     *
     * @param id a token id
     * @return whether it is special
     * @throws InvalidOptionException if the id is not in the vocabulary
     */
    boolean isSpecial(int id);

    /**
     * The first place of a text where {@link #encode} would see a token that only the template should write: an added
     * token, or a piece of the vocabulary that is used like one.
     *
     * @param text any text
     * @return the mark, or empty if there is none
     */
    Optional<String> findMark(String text);

    /** @return one more than the highest token id */
    int vocabularySize();

    /** @return the id of the token that begins a text, if there is one; whether it is used is another question */
    OptionalInt bosId();

    /** @return the id of the token that ends a text, if there is one */
    OptionalInt eosId();

    /** @return the id of the token that fills rows up to one length, if there is one; prompts have none */
    OptionalInt padId();
}
