package io.github.internvl4j.text;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A fast tokenizer of transformers with a byte-level BPE: what the tokenizers library does with {@code tokenizer.json}.
 * Added tokens are cut out of the text, every stretch between them is normalized and encoded on its own, and decoding
 * joins the bytes of all tokens. Special is what the {@code special} flag of a token says, or the settings name.
 */
final class FastTokenizer extends VocabularyTokenizer {
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
     * @param pad the token that fills rows, or null
     */
    record Rules(
            UnaryOperator<String> normalizer,
            WordSplitter splitter,
            int[] before,
            int[] after,
            boolean cleanUpSpaces,
            @Nullable String bos,
            @Nullable String eos,
            @Nullable String pad) {}

    private final FastAddedTokens added;
    private final Rules rules;
    private final ByteLevelEncoder encoder;
    private final ByteLevelEncoder literalEncoder;
    private final MarkFinder marks;

    FastTokenizer(ByteLevelModel model, FastAddedTokens added, Rules rules) {
        super(model, added, rules.bos(), rules.eos(), rules.pad());
        this.added = added;
        this.rules = rules;
        encoder = new ByteLevelEncoder(model, rules.splitter(), Set.of());
        literalEncoder = new ByteLevelEncoder(model, rules.splitter(), added.ids());
        marks = new MarkFinder(added.contents(), rules.normalizer());
    }

    @Override
    public int[] encode(String text) {
        Objects.requireNonNull(text, "text");
        return encodeFragments(added.split(PythonText.replaceLoneSurrogates(text)));
    }

    @Override
    public int[] encode(List<Stretch> stretches) {
        Objects.requireNonNull(stretches, "stretches");
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
    public Optional<String> findMark(String text) {
        Objects.requireNonNull(text, "text");
        return marks.find(text);
    }

    @Override
    StreamDecoder newDecoder(boolean skipSpecial) {
        return new TokenDecoder(this, skipSpecial, rules.cleanUpSpaces()) {
            private final Utf8Decoder characters = new Utf8Decoder();

            @Override
            void decode(String token, StringBuilder out) {
                for (byte value : ByteAlphabet.read(token)) {
                    characters.accept(value & 0xFF, out);
                }
            }

            @Override
            void end(StringBuilder out) {
                characters.finish(out);
            }
        };
    }
}
