package io.github.internvl4j.train;

import io.github.internvl4j.text.Tokenizer;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How long the samples of a set are, as the original estimates it for its order: the tokens of the first sample that has so many
 * characters. Later ones of as many get the tokens of the most tiles on top of that, images or not; the first one does not, by a slip that is
 * kept.
 */
final class SampleLengths {
    private final Tokenizer tokenizer;
    private final int tokensOfImages;
    private final Map<Integer, Integer> known = new HashMap<>();

    /** @param tokensOfImages of an image in the most tiles */
    SampleLengths(Tokenizer tokenizer, int tokensOfImages) {
        this.tokenizer = tokenizer;
        this.tokensOfImages = tokensOfImages;
    }

    /** The length of the set's next sample. */
    int next(Line line) {
        if (line.length().isPresent()) {
            return line.length().getAsInt();
        }
        String text = line.dialog().stream().map(Message::text).collect(Collectors.joining("\n"));
        int characters = text.codePointCount(0, text.length());
        Integer earlier = known.get(characters);
        if (earlier != null) {
            return earlier;
        }
        int tokens = tokenizer.encode(text).length;
        known.put(characters, tokens + tokensOfImages);
        return tokens;
    }
}
