package io.github.internvl4j.text;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A fast tokenizer of transformers with a byte-level BPE: what the tokenizers library does with {@code tokenizer.json}.
 * Added tokens are cut out of the text, every stretch between them is normalized and encoded on its own, and decoding
 * joins the bytes of all tokens.
 */
final class FastTokenizer implements Tokenizer {
    /**
     * What the file says beside the vocabulary.
     *
     * @param normalizer what happens to a stretch before it is cut into words
     * @param splitter how it is cut into words
     * @param before the ids put before every text
     * @param after the ids put behind every text
     * @param cleanUpSpaces whether decoding takes spaces before punctuation away
     * @param bos the token that begins a text, or null
     * @param eos the token that ends a text, or null
     */
    record Rules(UnaryOperator<String> normalizer, WordSplitter splitter, int[] before, int[] after,
            boolean cleanUpSpaces, @Nullable String bos, @Nullable String eos) {}

    private final ByteLevelModel model;
    private final FastAddedTokens added;
    private final Rules rules;
    private final ByteLevelEncoder encoder;
    private final ByteLevelEncoder literalEncoder;
    private final MarkFinder marks;
    private final int size;

    FastTokenizer(ByteLevelModel model, FastAddedTokens added, Rules rules) {
        this.model = model;
        this.added = added;
        this.rules = rules;
        encoder = new ByteLevelEncoder(model, rules.splitter(), Set.of());
        literalEncoder = new ByteLevelEncoder(model, rules.splitter(), added.ids());
        marks = new MarkFinder(added.contents(), rules.normalizer());
        size = Math.max(model.size(), added.end());
    }

    @Override
    public int[] encode(String text) {
        return encodeFragments(added.split(PythonText.replaceLoneSurrogates(text)));
    }

    @Override
    public int[] encode(List<Stretch> stretches) {
        FragmentList fragments = new FragmentList();
        for (Stretch stretch : Stretch.joined(stretches)) {
            String text = PythonText.replaceLoneSurrogates(stretch.text());
            List<Fragment> parts = stretch.literal() ? List.of(Fragment.text(text, true)) : added.split(text);
            parts.forEach(fragments::add);
        }
        return encodeFragments(fragments.toList(rules.normalizer()));
    }

    private int[] encodeFragments(List<Fragment> fragments) {
        IntList ids = new IntList();
        for (int id : rules.before()) {
            ids.add(id);
        }
        for (Fragment fragment : fragments) {
            if (fragment.token() != null) {
                ids.add(tokenId(fragment.text()).orElseThrow());
            } else {
                (fragment.literal() ? literalEncoder : encoder).encode(fragment.text(), ids);
            }
        }
        for (int id : rules.after()) {
            ids.add(id);
        }
        return ids.toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        Decoder decoder = new Decoder(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    @Override
    public StreamDecoder newDecoder() {
        return new Decoder(true);
    }

    @Override
    public OptionalInt tokenId(String token) {
        Integer id = added.id(token);
        return id == null ? model.find(token) : OptionalInt.of(id);
    }

    @Override
    public String tokenText(int id) {
        AddedToken token = added.token(id);
        if (token != null) {
            return token.content();
        }
        if (id < 0 || id >= model.size()) {
            throw new InvalidOptionException("token id " + id + " is not in the tokenizer's vocabulary of " + size
                    + " tokens; expected 0 to " + (size - 1));
        }
        return model.text(id);
    }

    @Override
    public byte[] tokenBytes(int id) {
        String text = tokenText(id);
        return added.token(id) == null ? model.bytes(id) : text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean contains(int id) {
        return id >= 0 && id < model.size() || added.token(id) != null;
    }

    /** The {@code special} flag of the token says it, or that the settings name it. */
    @Override
    public boolean isSpecial(int id) {
        return added.isSpecial(tokenText(id));
    }

    @Override
    public Optional<String> findMark(String text) {
        return marks.find(text);
    }

    @Override
    public int vocabularySize() {
        return size;
    }

    @Override
    public OptionalInt bosId() {
        return rules.bos() == null ? OptionalInt.empty() : tokenId(rules.bos());
    }

    @Override
    public OptionalInt eosId() {
        return rules.eos() == null ? OptionalInt.empty() : tokenId(rules.eos());
    }

    private final class Decoder implements StreamDecoder {
        private final boolean skipSpecial;
        private final Utf8Decoder characters = new Utf8Decoder();
        private final SpaceCleanUp cleanUp = new SpaceCleanUp();
        private boolean finished;

        Decoder(boolean skipSpecial) {
            this.skipSpecial = skipSpecial;
        }

        @Override
        public String accept(int tokenId) {
            if (finished) {
                throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
            }
            String token = tokenText(tokenId);
            if (skipSpecial && added.isSpecial(token)) {
                return "";
            }
            StringBuilder out = new StringBuilder();
            for (byte value : ByteAlphabet.read(token)) {
                characters.accept(value & 0xFF, out);
            }
            return cleaned(out, false);
        }

        @Override
        public String finish() {
            if (finished) {
                return "";
            }
            finished = true;
            StringBuilder out = new StringBuilder();
            characters.finish(out);
            return cleaned(out, true);
        }

        private String cleaned(StringBuilder out, boolean last) {
            return rules.cleanUpSpaces() ? cleanUp.accept(out.toString(), last) : out.toString();
        }
    }
}
