package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A slow tokenizer of transformers ({@code PreTrainedTokenizer} of version 4.57.6): the text is prepared as a whole,
 * added tokens are cut out of it, the longest first, and every stretch between them is encoded on its own. What differs
 * between the classes is in their {@link SlowRules}.
 */
final class SlowTokenizer implements Tokenizer {
    private final TokenizerSettings settings;
    private final Vocabulary vocabulary;
    private final AddedVocabulary added;
    private final SlowRules rules;
    private final MarkFinder marks;
    private final int size;

    SlowTokenizer(TokenizerSettings settings, Vocabulary vocabulary, AddedVocabulary added, SlowRules rules) {
        this.settings = settings;
        this.vocabulary = vocabulary;
        this.added = added;
        this.rules = rules;
        size = Math.max(vocabulary.size(), added.end());
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
        String whole = PythonText.replaceLoneSurrogates(text);
        if (whole.isEmpty()) {
            return encodeFragments(List.of());
        }
        return encodeFragments(added.split(rules.prefix() + rules.prepare(whole)));
    }

    @Override
    public int[] encode(List<Stretch> stretches) {
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
    public String decode(int[] ids, boolean skipSpecial) {
        SlowDecoder decoder = new SlowDecoder(this, skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    @Override
    public StreamDecoder newDecoder() {
        return new SlowDecoder(this, true);
    }

    @Override
    public OptionalInt tokenId(String token) {
        Integer id = added.id(token);
        return id == null ? vocabulary.find(token) : OptionalInt.of(id);
    }

    @Override
    public String tokenText(int id) {
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
    public byte[] tokenBytes(int id) {
        String text = tokenText(id);
        return added.token(id) == null ? vocabulary.bytes(id) : text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean contains(int id) {
        return id >= 0 && id < vocabulary.size() || added.token(id) != null;
    }

    /** Only the tokens that the settings name are, the {@code special} flag of an added token says nothing. */
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
        return settings.bos() == null ? OptionalInt.empty() : tokenId(settings.bos());
    }

    @Override
    public OptionalInt eosId() {
        return settings.eos() == null ? OptionalInt.empty() : tokenId(settings.eos());
    }

    /** Whether decoding keeps this token apart from its neighbours. */
    boolean isSeparate(String token) {
        return added.isSeparate(token);
    }

    SlowRules rules() {
        return rules;
    }
}
