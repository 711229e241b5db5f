package io.github.internvl4j.text;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the JSON files beside the vocabulary say, before they meet it.
 *
 * @param directory the checkpoint, for messages
 * @param addBos whether encoding puts the bos token in front
 * @param addEos whether encoding puts the eos token behind
 * @param addPrefixSpace whether decoding takes a leading space away
 * @param legacy whether a LlamaTokenizer has its older behaviour
 * @param cleanUpSpaces whether decoding takes spaces before punctuation away
 * @param declared the added tokens by id
 * @param flagged whether these come with their flags; added_tokens.json has none
 * @param bos the bos token, or null
 * @param eos the eos token, or null
 * @param pad the pad token, or null
 * @param unknown the unk token, or null
 * @param named the named special tokens (bos, eos, unk, sep, pad, cls, mask), in that order
 * @param additional the additional special tokens
 * @param extra the special tokens that a model has a name of its own for
 */
record TokenizerSettings(
        String directory,
        boolean addBos,
        boolean addEos,
        boolean addPrefixSpace,
        boolean legacy,
        boolean cleanUpSpaces,
        Map<Integer, AddedToken> declared,
        boolean flagged,
        @Nullable String bos,
        @Nullable String eos,
        @Nullable String pad,
        @Nullable String unknown,
        List<Named> named,
        List<Named> additional,
        List<Named> extra) {

    /**
     * A special token as the settings name it.
     *
     * @param content its text
     * @param flags how it is cut out, or null if the settings give only the text
     */
    record Named(String content, @Nullable AddedToken flags) {}
}
