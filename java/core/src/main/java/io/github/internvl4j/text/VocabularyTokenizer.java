package io.github.internvl4j.text;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A tokenizer's tokens: those of a vocabulary file and the added ones, which come first where an id or a text has both. */
abstract class VocabularyTokenizer implements Tokenizer {
    private final Vocabulary vocabulary;
    private final AddedTokens added;
    private final @Nullable String bos;
    private final @Nullable String eos;
    private final @Nullable String pad;
    private final int size;

    VocabularyTokenizer(
            Vocabulary vocabulary,
            AddedTokens added,
            @Nullable String bos,
            @Nullable String eos,
            @Nullable String pad) {
        this.vocabulary = vocabulary;
        this.added = added;
        this.bos = bos;
        this.eos = eos;
        this.pad = pad;
        size = Math.max(vocabulary.size(), added.end());
    }

    /** A decoder of one text. */
    abstract StreamDecoder newDecoder(boolean skipSpecial);

    @Override
    public final StreamDecoder newDecoder() {
        return newDecoder(true);
    }

    @Override
    public final String decode(int[] ids, boolean skipSpecial) {
        Objects.requireNonNull(ids, "ids");
        StreamDecoder decoder = newDecoder(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    @Override
    public final OptionalInt tokenId(String token) {
        Objects.requireNonNull(token, "token");
        Integer id = added.id(token);
        return id == null ? vocabulary.find(token) : OptionalInt.of(id);
    }

    @Override
    public final String tokenText(int id) {
        AddedToken token = added.token(id);
        if (token != null) {
            return token.content();
        }
        if (id < 0 || id >= vocabulary.size()) {
            throw new InvalidOptionException("token id " + id + " is not in the tokenizer's vocabulary of " + size
                    + " tokens; expected 0 to " + (size - 1));
        }
        return vocabulary.text(id);
    }

    @Override
    public final byte[] tokenBytes(int id) {
        String text = tokenText(id);
        return added.token(id) == null ? vocabulary.bytes(id) : text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public final boolean contains(int id) {
        return id >= 0 && id < vocabulary.size() || added.token(id) != null;
    }

    @Override
    public final boolean isSpecial(int id) {
        return added.isSpecial(tokenText(id));
    }

    @Override
    public final int vocabularySize() {
        return size;
    }

    @Override
    public final OptionalInt bosId() {
        return bos == null ? OptionalInt.empty() : tokenId(bos);
    }

    @Override
    public final OptionalInt eosId() {
        return eos == null ? OptionalInt.empty() : tokenId(eos);
    }

    @Override
    public final OptionalInt padId() {
        return pad == null ? OptionalInt.empty() : tokenId(pad);
    }
}
