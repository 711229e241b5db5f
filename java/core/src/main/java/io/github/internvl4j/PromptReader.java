package io.github.internvl4j;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.PromptEncoder;
import io.github.internvl4j.text.RenderedPrompt;
import io.github.internvl4j.text.Round;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** From a prompt to what the runtime takes: token ids and pixel values. The only place that builds either. */
final class PromptReader {
    private final ModelInfo info;
    private final Tokenizer tokenizer;
    private final ImageProcessor imageProcessor;
    private final ConversationTemplate template;
    private final PromptEncoder encoder;

    PromptReader(Path directory, ModelInfo info) {
        this.info = info;
        tokenizer = Tokenizer.load(directory);
        if (tokenizer.vocabularySize() > info.vocabularySize()) {
            throw new CheckpointException(directory + ": the tokenizer has tokens up to the id "
                    + (tokenizer.vocabularySize() - 1) + ", but vocab_size in config.json is " + info.vocabularySize()
                    + "; expected a row of the model for every token");
        }
        imageProcessor = ImageProcessor.load(directory, info.imageSize());
        template = ConversationTemplate.forName(info.conversationTemplate());
        encoder = new PromptEncoder(tokenizer, template);
        requireWithin(directory, tokenizer, info);
    }

    /** @throws CheckpointException if the tokenizer has ids that the model has no rows for */
    static void requireWithin(Path directory, Tokenizer tokenizer, ModelInfo info) {
        int most = tokenizer.vocabularySize() - 1;
        if (most >= info.vocabularySize()) {
            throw new CheckpointException(directory + ": the tokenizer's ids go up to " + most + " ('"
                    + tokenizer.tokenText(most) + "'), but the model's vocabulary (llm_config.vocab_size) has "
                    + info.vocabularySize() + " tokens: the tokenizer is another model's, or the weights are from before"
                    + " tokens were added");
        }
    }

    private PromptReader(PromptReader other, ModelInfo info) {
        this.info = info;
        tokenizer = other.tokenizer;
        imageProcessor = other.imageProcessor;
        template = other.template;
        encoder = other.encoder;
    }

    /** The same for a model that was loaded with another context length. */
    PromptReader with(ModelInfo loaded) {
        return new PromptReader(this, loaded);
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    ImageProcessor imageProcessor() {
        return imageProcessor;
    }

    /**
     * The prompt's ids, with a placeholder for every picture row.
     *
     * @throws ContextLengthException if they leave no room for an answer
     */
    int[] tokens(Prompt prompt) {
        SpecialTokens mode = prompt.specialTokensOr(SpecialTokens.PARSE);
        return tokens(prompt.system(), mode, prompt.history(), prompt.asked(mode), prompt.picturesInEntries());
    }

    /**
     * The ids of a conversation, with a placeholder for every picture row.
     *
     * @param mode of the system message and of the rounds that have none of their own
     * @param asked the question, with its mode
     * @param entries how many pictures each entry of all rounds has
     * @throws ContextLengthException if they leave no room for an answer
     */
    int[] tokens(
            @Nullable String system, SpecialTokens mode, List<Round> history, Round asked, List<Integer> entries) {
        List<Round> rounds = history.stream()
                .map(round -> round.specialTokens() == null ? round.specialTokens(mode) : round)
                .toList();
        RenderedPrompt rendered = template.render(
                system == null ? template.defaultSystemMessage() : system,
                rounds,
                asked,
                entries,
                info.tokensPerImage());
        int[] ids = encoder.encode(rendered, mode);
        if (ids.length >= info.contextLength()) {
            throw new ContextLengthException("the prompt has " + ids.length + " tokens, but the context holds "
                    + info.contextLength() + " and the answer needs at least one");
        }
        return ids;
    }

    /** (n, channels, S, S), normalized. */
    Tensor pixels(List<Image> images) {
        return imageProcessor.preprocess(images);
    }

    int imageToken() {
        return encoder.imageContextId();
    }

    /** The caller's, and the template's own, which the original also cuts the text at. */
    List<String> stopStrings(GenerationConfig config) {
        List<String> all = new ArrayList<>(config.stopStrings());
        all.add(template.stop());
        return all;
    }

    /** The caller's, and the template's own. The checkpoint's eos tokens are none: the original's chat overrules them, too. */
    int[] stopTokens(GenerationConfig config) {
        IntStream own = config.stopTokens().stream().mapToInt(Integer::intValue);
        return IntStream.concat(IntStream.of(encoder.stopId()), own).distinct().toArray();
    }
}
