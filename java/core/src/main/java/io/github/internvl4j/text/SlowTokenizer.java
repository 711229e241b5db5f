package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A slow tokenizer of transformers ({@code PreTrainedTokenizer} of version 4.57.6): the text is prepared as a whole,
 * added tokens are cut out of it, the longest first, and every stretch between them is encoded on its own. What differs
 * between the classes is in their {@link SlowRules}. Special are only the tokens that the settings name: the
 * {@code special} flag of an added token says nothing.
 */
final class SlowTokenizer extends VocabularyTokenizer {
    private final TokenizerSettings settings;
    private final SlowAddedTokens added;
    private final SlowRules rules;
    private final MarkFinder marks;

    SlowTokenizer(TokenizerSettings settings, Vocabulary vocabulary, SlowAddedTokens added, SlowRules rules) {
        super(vocabulary, added, settings.bos(), settings.eos(), settings.pad());
        this.settings = settings;
        this.added = added;
        this.rules = rules;
        List<String> markTexts = new ArrayList<>(added.contents());
        markTexts.addAll(rules.marks());
        marks = new MarkFinder(markTexts, rules::prepare);
        requireToken("bos_token", settings.addBos(), settings.bos());
        requireToken("eos_token", settings.addEos(), settings.eos());
    }

    private void requireToken(String name, boolean needed, @Nullable String token) {
        if (needed && (token == null || tokenId(token).isEmpty())) {
            throw new CheckpointException(settings.directory() + ": tokenizer_config.json: add_" + name
                    + " is true, but there is no " + name);
        }
    }

    @Override
    public int[] encode(String text) {
        Objects.requireNonNull(text, "text");
        String whole = PythonText.replaceLoneSurrogates(text);
        if (whole.isEmpty()) {
            return encodeFragments(List.of());
        }
        return encodeFragments(added.split(rules.prefix() + rules.prepare(whole)));
    }

    @Override
    public int[] encode(List<Stretch> stretches) {
        Objects.requireNonNull(stretches, "stretches");
        List<Stretch> joined = Stretch.joined(stretches);
        if (joined.size() == 1 && !joined.get(0).literal()) {
            return encode(joined.get(0).text());
        }
        FragmentList fragments = new FragmentList();
        for (int i = 0; i < joined.size(); i++) {
            boolean literal = joined.get(i).literal();
            if (i == 0) {
                fragments.add(Fragment.text(rules.prefix(), literal));
            }
            String text = PythonText.replaceLoneSurrogates(joined.get(i).text());
            List<Fragment> parts = literal ? List.of(Fragment.text(text, true)) : added.split(text);
            parts.forEach(fragments::add);
        }
        // Prepared piece by piece: no letter of the user's can grow together with a token of the template.
        return encodeFragments(fragments.toList(rules::prepare));
    }

    private int[] encodeFragments(List<Fragment> fragments) {
        IntList ids = new IntList();
        for (Fragment fragment : Fragment.applyFlags(fragments)) {
            if (fragment.token() != null) {
                ids.add(tokenId(fragment.text()).orElseThrow());
            } else if (!fragment.text().isEmpty()) {
                rules.encode(fragment.text(), fragment.literal(), ids);
            }
        }
        return surrounded(ids.toArray());
    }

    private int[] surrounded(int[] text) {
        IntList ids = new IntList();
        if (settings.addBos() && settings.bos() != null) {
            ids.add(tokenId(settings.bos()).orElseThrow());
        }
        boolean lone = text.length > 1 && tokenText(text[0]).equals(rules.loneToken()) && isSpecial(text[1]);
        for (int i = lone ? 1 : 0; i < text.length; i++) {
            ids.add(text[i]);
        }
        if (settings.addEos() && settings.eos() != null) {
            ids.add(tokenId(settings.eos()).orElseThrow());
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
        return new SlowDecoder(this, skipSpecial);
    }

    /** Whether decoding keeps this token apart from its neighbours. */
    boolean isSeparate(String token) {
        return added.isSeparate(token);
    }

    SlowRules rules() {
        return rules;
    }
}
