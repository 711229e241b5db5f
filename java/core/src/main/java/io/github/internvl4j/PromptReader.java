package io.github.internvl4j;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.ConversationTemplates;
import io.github.internvl4j.text.PromptEncoder;
import io.github.internvl4j.text.RenderedPrompt;
import io.github.internvl4j.text.Segment;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Tokenizer;
import io.github.internvl4j.text.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** From a prompt to what the runtime takes: token ids and pixel values. The only place that builds either. */
final class PromptReader {
    private final ModelInfo info;
    private final Tokenizer tokenizer;
    private final ImageProcessor imageProcessor;
    private final ConversationTemplate template;
    private final PromptEncoder encoder;
    private final Set<Integer> stops;

    /**
     * What a conversation begins with.
     *
     * @param text the caller's message; null for the template's own, or for that of thinking
     */
    record Opening(@Nullable String text, boolean thinking) {
        @Nullable
        String message() {
            return thinking ? Thinking.SYSTEM_MESSAGE : text;
        }
    }

    /** @param named the template to use whatever the checkpoint says; null for its own */
    PromptReader(Path directory, ModelInfo info, @Nullable String named) {
        this.info = info;
        tokenizer = Tokenizer.load(directory);
        requireRowsForTokens(directory);
        imageProcessor = ImageProcessor.load(directory, info);
        template = named == null ? template(directory, info) : ConversationTemplates.forName(named);
        encoder = new PromptEncoder(tokenizer, template);
        requireImageToken(directory);
        stops = stops(named != null);
    }

    private void requireRowsForTokens(Path directory) {
        int most = tokenizer.vocabularySize() - 1;
        if (most >= info.vocabularySize()) {
            throw new CheckpointException(
                    directory + ": the tokenizer's ids go up to " + most + " ('" + tokenizer.tokenText(most)
                            + "'), but vocab_size in config.json is " + info.vocabularySize()
                            + ", expected a row of the model for every"
                            + " token: the tokenizer is another model's, or the weights are from before tokens were added");
        }
    }

    private static ConversationTemplate template(Path directory, ModelInfo info) {
        return info.layout() == ModelInfo.Layout.TRANSFORMERS
                ? ConversationTemplates.ofChatTemplate(directory)
                : ConversationTemplates.forName(info.conversationTemplate());
    }

    /** The configuration and the tokenizer must mean the same token. */
    private void requireImageToken(Path directory) {
        int own = encoder.imageContextId();
        int said = info.imageToken().orElse(own);
        if (said != own) {
            throw new CheckpointException(directory.resolve("config.json") + ": image_token_id is " + said + ", but "
                    + ConversationTemplate.IMAGE_CONTEXT + " is the token " + own
                    + " of the tokenizer; expected the same");
        }
    }

    /**
     * The remote code's chat stops at the template's token alone: the checkpoint's eos tokens are none there. In transformers they
     * are all there is; a template that was named counts, too.
     */
    private Set<Integer> stops(boolean named) {
        Set<Integer> all = new LinkedHashSet<>();
        if (info.layout() == ModelInfo.Layout.TRANSFORMERS) {
            all.addAll(info.eosTokens());
        }
        if (named || all.isEmpty()) {
            all.add(encoder.stopId());
        }
        return all;
    }

    private PromptReader(PromptReader other, ModelInfo info) {
        this.info = info;
        tokenizer = other.tokenizer;
        imageProcessor = other.imageProcessor;
        template = other.template;
        encoder = other.encoder;
        stops = other.stops;
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

    /** How many tiles each entry of the prompt has, thumbnails included: the original's num_patches_list. Only sizes are looked at. */
    List<Integer> tiles(Prompt prompt) {
        List<Integer> tiles = new ArrayList<>();
        int number = 0;
        for (List<Image> entry : prompt.images()) {
            int together = 0;
            for (Image image : entry) {
                together += tiling(prompt, number++).tiles(image.width(), image.height(), info.imageSize());
            }
            tiles.add(together);
        }
        return tiles;
    }

    /** @param image its number among those of all entries */
    private Tiling tiling(Prompt prompt, int image) {
        int most = prompt.mostTiles(image);
        return most == 0 ? imageProcessor.tiling() : imageProcessor.tiling().most(most);
    }

    /**
     * The prompt's ids, with the image token for every row of an image.
     *
     * @throws ContextLengthException if they leave no room for an answer
     */
    int[] tokens(Prompt prompt) {
        SpecialTokens mode = prompt.specialTokensOr(SpecialTokens.PARSE);
        Opening opening = new Opening(prompt.system(), prompt.thinking());
        return tokens(opening, mode, prompt.history(), prompt.asked(mode), tiles(prompt));
    }

    /** The prompt as text; read as {@link #tokens}, but for the room that it needs. */
    String text(Prompt prompt) {
        SpecialTokens mode = prompt.specialTokensOr(SpecialTokens.PARSE);
        Opening opening = new Opening(prompt.system(), prompt.thinking());
        return template.render(
                        opening.message(),
                        modes(prompt.history(), mode),
                        prompt.asked(mode),
                        tiles(prompt),
                        info.tokensPerImage())
                .text();
    }

    /**
     * Ids that no template was put around.
     *
     * @throws PromptException if there are none, or one is no token or an image's
     * @throws ContextLengthException if they leave no room for an answer
     */
    int[] raw(List<Integer> tokens) {
        if (tokens.isEmpty()) {
            throw new PromptException("there are no tokens, expected at least one to go on from");
        }
        for (int i = 0; i < tokens.size(); i++) {
            if (!tokenizer.contains(tokens.get(i)) || tokens.get(i) == imageToken()) {
                throw new PromptException("tokens[" + i + "] is " + tokens.get(i)
                        + ", expected the id of a token of text, 0 to " + (tokenizer.vocabularySize() - 1));
            }
        }
        requireRoom(tokens.size(), 0);
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * The ids of a conversation, with the image token for every row of an image.
     *
     * @param mode of the caller's system message and of the turns that have none of their own
     * @param asked the question, with its mode
     * @param tiles how many tiles each entry of all turns has
     * @throws ContextLengthException if they leave no room for an answer
     */
    int[] tokens(Opening opening, SpecialTokens mode, List<Turn> history, Turn asked, List<Integer> tiles) {
        long inImages =
                tiles.stream().mapToLong(n -> (long) n * info.tokensPerImage()).sum();
        requireRoom(inImages, inImages); // before any of them is laid out
        RenderedPrompt rendered =
                template.render(opening.message(), modes(history, mode), asked, tiles, info.tokensPerImage());
        int[] ids = encoder.encode(opening.thinking() ? parsed(rendered) : rendered, mode);
        requireRoom(ids.length, inImages);
        return ids;
    }

    private static List<Turn> modes(List<Turn> history, SpecialTokens mode) {
        return history.stream()
                .map(turn -> turn.specialTokens() == null ? turn.specialTokens(mode) : turn)
                .toList();
    }

    /** The marks in the system message of thinking are meant, whatever those in other texts are. */
    private static RenderedPrompt parsed(RenderedPrompt prompt) {
        List<Segment> segments = prompt.segments().stream()
                .map(it -> it.author() == Segment.Author.DEVELOPER
                        ? new Segment(it.text(), it.author(), SpecialTokens.PARSE)
                        : it)
                .toList();
        return new RenderedPrompt(segments, prompt.question(), prompt.imageTokens());
    }

    /** @param least tokens that the prompt has at least */
    private void requireRoom(long least, long inImages) {
        if (least < info.contextLength()) {
            return;
        }
        String message = "the prompt has " + (least == inImages ? "at least " : "") + least
                + " tokens, but the context holds " + info.contextLength() + " and the answer needs at least one";
        if (inImages > 0) {
            boolean cut = imageProcessor.tiling().dynamic();
            long each = info.tokensPerImage();
            long fit = Math.max(0, (info.contextLength() - 1 - (least - inImages)) / each);
            message += "; " + inImages / each + (cut ? " tiles of images" : " images") + " take " + inImages
                    + " of them, " + each + " each, and at most " + fit + " would fit"
                    + (cut ? ": a lower limit of tiles for each image (maxTiles), or fewer images" : "");
        }
        throw new ContextLengthException(message);
    }

    /** (tiles, channels, S, S), normalized: the tiles of all images, in order. */
    Tensor pixels(Prompt prompt) {
        List<Tensor> parts = new ArrayList<>();
        List<Image> images = prompt.images().stream().flatMap(List::stream).toList();
        for (int from = 0; from < images.size(); ) {
            Tiling tiling = tiling(prompt, from);
            List<Image> alike = new ArrayList<>();
            while (from < images.size() && tiling(prompt, from).equals(tiling)) {
                alike.add(images.get(from++));
            }
            parts.add(imageProcessor.preprocess(alike, tiling));
        }
        return Tensor.joined(parts);
    }

    int imageToken() {
        return encoder.imageContextId();
    }

    /** Of each row of the model; empty for special and other added tokens, which are never part of JSON, and for rows without a token. */
    byte[][] tokenBytes() {
        byte[][] bytes = new byte[info.vocabularySize()][];
        for (int id = 0; id < bytes.length; id++) {
            boolean text = tokenizer.contains(id)
                    && !tokenizer.isSpecial(id)
                    && tokenizer.findMark(tokenizer.tokenText(id)).isEmpty();
            bytes[id] = text ? tokenizer.tokenBytes(id) : new byte[0];
        }
        return bytes;
    }

    /** The caller's, and the template's own, which the original also cuts the text at. */
    List<String> stopStrings(GenerationConfig config) {
        List<String> all = new ArrayList<>(config.stopStrings());
        all.add(template.stop());
        return all;
    }

    /** The caller's, and the model's own. */
    int[] stopTokens(GenerationConfig config) {
        return Stream.concat(stops.stream(), config.stopTokens().stream())
                .mapToInt(Integer::intValue)
                .distinct()
                .toArray();
    }
}
