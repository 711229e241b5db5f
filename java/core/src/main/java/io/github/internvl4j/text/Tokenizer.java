package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.text.SentencePieceModel.PieceType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizer of a checkpoint, as transformers' slow {@code LlamaTokenizer} with {@code legacy=True} (compared with
 * version 4.57.6 and sentencepiece 0.2.2): added tokens are cut out of the text, the longest first, and every stretch
 * between them is encoded on its own with the normalizer settings of the model. Decoding has that tokenizer's quirks: a
 * space put before the text in front of a special token, a U+2581 left standing where the first piece of a text, its
 * leading space taken away, is no piece any more.
 *
 * <p>A lone surrogate in a text counts as U+FFFD; no other character is changed. Immutable and safe for many threads.
 */
public final class Tokenizer {
    private final SentencePieceModel model;
    private final TokenizerSettings settings;
    private final AddedVocabulary added;
    private final BytePairEncoder encoder;
    private final PrefixTrie marks;
    /** Pieces that literal encoding does as if they did not exist. */
    private final Set<Integer> hidden = new HashSet<>();
    private final int size;
    /** Made when first needed: its tables take as long as the rest of loading. */
    private volatile @Nullable BytePairEncoder literalEncoder;

    private Tokenizer(SentencePieceModel model, TokenizerSettings settings) {
        this.model = model;
        this.settings = settings;
        added = new AddedVocabulary(model, settings);
        size = Math.max(model.size(), added.end());
        encoder = new BytePairEncoder(model, Set.of(), text -> tokenId(text).orElse(model.unknownId()));
        hidden.addAll(added.ids());
        List<String> markTexts = new ArrayList<>(added.contents());
        for (int id = 0; id < model.size(); id++) {
            String text = model.piece(id).text();
            if (model.piece(id).type() == PieceType.USER_DEFINED && isMark(text)) {
                markTexts.add(text);
                hidden.add(id);
            }
            if (added.id(text) != null) {
                hidden.add(id);
            }
        }
        marks = new PrefixTrie(markTexts);
        requireToken("bos_token", settings.addBos(), settings.bos());
        requireToken("eos_token", settings.addEos(), settings.eos());
    }

    private static boolean isMark(String text) {
        return text.length() > 2 && text.startsWith("<") && text.endsWith(">");
    }

    private BytePairEncoder literalEncoder() {
        BytePairEncoder made = literalEncoder;
        if (made == null) {
            made = new BytePairEncoder(model, hidden, text -> {
                int id = model.pieceId(text);
                return hidden.contains(id) ? model.unknownId() : id;
            });
            literalEncoder = made; // two threads may both make one; they are equal
        }
        return made;
    }

    private static void requireToken(String name, boolean needed, @Nullable String token) {
        if (needed && token == null) {
            throw new CheckpointException("tokenizer_config.json: add_" + name + " is true, but there is no " + name);
        }
    }

    /**
     * Reads the tokenizer of a checkpoint folder: {@code tokenizer.model}, and where they are there
     * {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json}.
     * {@code tokenizer.json} is not looked at: it describes another tokenizer.
     *
     * @param directory the checkpoint folder
     * @return the tokenizer
     * @throws CheckpointException if a file is malformed, or tokenizer.model is missing
     * @throws io.github.internvl4j.error.UnsupportedModelException if the checkpoint needs another tokenizer
     */
    public static Tokenizer load(Path directory) {
        SentencePieceModel model = SentencePieceModel.read(directory.resolve("tokenizer.model"));
        return new Tokenizer(model, TokenizerSettingsReader.read(directory));
    }

    /**
     * Encodes a text; special and other added tokens in it become themselves. The bos and eos token are put around it
     * only if the checkpoint asks for that (InternVL's does not).
     *
     * @param text any text
     * @return its token ids
     */
    public int[] encode(String text) {
        return encode(List.of(new Stretch(text, false)));
    }

    /**
     * Encodes a text as nothing but text: what {@link #findMark} would find in it is spelled out in ordinary pieces.
     *
     * @param text any text
     * @return its token ids, none of them an added token, apart from the bos and eos token if the checkpoint asks for
     *     them
     */
    public int[] encodeLiteral(String text) {
        return encode(List.of(new Stretch(text, true)));
    }

    /**
     * Encodes stretches one after the other: tokens become themselves, or are spelled out where a stretch is literal. If the
     * literal ones have no {@linkplain #findMark marks} in them, this is {@link #encode(String)} of the whole.
     */
    int[] encode(List<Stretch> stretches) {
        FragmentList fragments = new FragmentList();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < stretches.size(); i++) {
            boolean literal = stretches.get(i).literal();
            text.append(stretches.get(i).text());
            if (i + 1 < stretches.size() && stretches.get(i + 1).literal() == literal) {
                continue; // a token may begin in one stretch and end in the next
            }
            String whole = PythonText.replaceLoneSurrogates(text.toString());
            text.setLength(0);
            List<Fragment> parts = literal ? List.of(Fragment.text(whole, true)) : added.split(whole);
            parts.forEach(fragments::add);
        }
        return encodeFragments(fragments.toList());
    }

    private int[] encodeFragments(List<Fragment> fragments) {
        IntList ids = new IntList();
        if (settings.addBos() && settings.bos() != null) {
            ids.add(idOrUnknown(settings.bos()));
        }
        for (Fragment fragment : Fragment.applyFlags(fragments)) {
            if (fragment.token() != null) {
                ids.add(idOrUnknown(fragment.text()));
            } else if (!fragment.text().isEmpty()) {
                (fragment.literal() ? literalEncoder() : encoder).encode(fragment.text(), ids);
            }
        }
        if (settings.addEos() && settings.eos() != null) {
            ids.add(idOrUnknown(settings.eos()));
        }
        return ids.toArray();
    }

    private int idOrUnknown(String token) {
        return tokenId(token).orElse(model.unknownId());
    }

    /**
     * Decodes token ids.
     *
     * @param ids token ids
     * @param skipSpecial whether special tokens are left out
     * @return the text
     * @throws InvalidOptionException if an id is not in the vocabulary
     */
    public String decode(int[] ids, boolean skipSpecial) {
        StringBuilder text = new StringBuilder();
        if (skipSpecial) {
            StreamDecoder decoder = new StreamDecoder(this);
            for (int id : ids) {
                text.append(decoder.accept(id));
            }
            return text.append(decoder.finish()).toString();
        }
        List<String> parts = new ArrayList<>();
        List<String> run = new ArrayList<>();
        for (int id : ids) {
            String token = tokenText(id);
            if (!added.isSeparate(token)) {
                run.add(token);
                continue;
            }
            String before = decodeRun(run);
            if (!before.isEmpty()) {
                parts.add(before);
            }
            run.clear();
            parts.add(token);
        }
        if (!run.isEmpty()) {
            parts.add(decodeRun(run));
        }
        String joined = String.join(" ", parts);
        return settings.cleanUpSpaces() ? SpaceCleanUp.apply(joined) : joined;
    }

    /** {@code LlamaTokenizer.convert_tokens_to_string}. */
    private String decodeRun(List<String> tokens) {
        StringBuilder out = new StringBuilder();
        StringBuilder plain = new StringBuilder();
        PieceDecoder decoder = new PieceDecoder(model);
        boolean afterSpecial = false;
        for (int i = 0; i < tokens.size(); i++) {
            String token = i == 0 ? withoutLeadingSpace(tokens.get(i)) : tokens.get(i);
            if (added.isSpecial(token)) {
                if (!afterSpecial && i != 0) {
                    out.append(' ');
                }
                decoder.finish(plain);
                out.append(plain).append(token);
                plain.setLength(0);
                decoder = new PieceDecoder(model);
                afterSpecial = true;
            } else {
                if (afterSpecial && i == 1 && settings.addPrefixSpace()
                        && !token.startsWith(SentencePieceModel.SPACE)) {
                    out.append(' ');
                }
                decoder.accept(token, plain);
                afterSpecial = false;
            }
        }
        decoder.finish(plain);
        return out.append(plain).toString();
    }

    /** What the first piece of a run decodes as. */
    String withoutLeadingSpace(String token) {
        return settings.addPrefixSpace() && token.startsWith(SentencePieceModel.SPACE) ? token.substring(1) : token;
    }

    /**
     * The id of a token given by its text, as {@code convert_tokens_to_ids}.
     *
     * @param token the text of an added token or of a piece (with U+2581 for spaces)
     * @return its id, or empty if there is no such token
     */
    public OptionalInt tokenId(String token) {
        Integer id = added.id(token);
        return id == null ? model.findPiece(token) : OptionalInt.of(id);
    }

    /**
     * The text of a token, as {@code convert_ids_to_tokens}.
     *
     * @param id a token id
     * @return the text of the added token or of the piece (with U+2581 for spaces)
     * @throws InvalidOptionException if the id is not in the vocabulary
     */
    public String tokenText(int id) {
        AddedToken token = added.token(id);
        if (token != null) {
            return token.content();
        }
        if (id < 0 || id >= model.size()) {
            throw new InvalidOptionException("token id " + id + " is not in the tokenizer's vocabulary of " + size
                    + " tokens; expected 0 to " + (size - 1));
        }
        return model.piece(id).text();
    }

    /**
     * Whether decoding leaves a token out when it skips special ones. Only the tokens named as bos, eos, unk, ... and
     * as additional special tokens are; {@code <|im_start|>} is not.
     *
     * @param id a token id
     * @return whether it is special
     * @throws InvalidOptionException if the id is not in the vocabulary
     */
    public boolean isSpecial(int id) {
        return added.isSpecial(tokenText(id));
    }

    /**
     * The first place of a text where {@link #encode} would see a token that only the template should write: an added
     * token, or a user-defined piece of the model that looks like a mark ({@code <...>}).
     *
     * @param text any text
     * @return the mark, or empty if there is none
     */
    public Optional<String> findMark(String text) {
        for (int i = 0; i < text.length(); i++) {
            int length = marks.longestMatch(text, i);
            if (length > 0) {
                return Optional.of(text.substring(i, i + length));
            }
        }
        return Optional.empty();
    }

    /** @return one more than the highest token id */
    public int vocabularySize() {
        return size;
    }

    /** @return the vocabulary without the added tokens */
    public SentencePieceModel model() {
        return model;
    }

    /** @return the id of the token that ends a text, if there is one */
    public OptionalInt eosId() {
        return settings.eos() == null ? OptionalInt.empty() : tokenId(settings.eos());
    }

    /** @return the id of the token that begins a text, if there is one; whether it is used is another question */
    public OptionalInt bosId() {
        return settings.bos() == null ? OptionalInt.empty() : tokenId(settings.bos());
    }

    boolean isSeparate(String token) {
        return added.isSeparate(token);
    }

    boolean cleansUpSpaces() {
        return settings.cleanUpSpaces();
    }
}
