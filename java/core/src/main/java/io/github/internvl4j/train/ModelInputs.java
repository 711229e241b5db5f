package io.github.internvl4j.train;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.ConversationTemplates;
import io.github.internvl4j.text.PromptEncoder;
import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;

/** How a checkpoint takes texts and images: the chat's own tokenizer, template and pixels. */
final class ModelInputs {
    /** Tiles of an image at most in the original's script, which it also reckons with for models that take squares. */
    private static final int SCRIPT_TILES = 12;

    private final ModelInfo info;
    private final Tokenizer tokenizer;
    private final ConversationTemplate template;
    private final ImageProcessor processor;
    private final Tiling tiling;
    private final int imageToken;

    /** @param maxTiles of an image; 0: the checkpoint's */
    ModelInputs(Path directory, int maxTiles) {
        info = InternVL.inspect(directory);
        tokenizer = Tokenizer.load(directory);
        template = info.layout() == ModelInfo.Layout.TRANSFORMERS
                ? ConversationTemplates.ofChatTemplate(directory)
                : ConversationTemplates.forName(info.conversationTemplate());
        imageToken = new PromptEncoder(tokenizer, template).imageContextId();
        processor = ImageProcessor.load(directory, info);
        tiling = maxTiles == 0 ? processor.tiling() : processor.tiling().most(maxTiles);
    }

    ModelInfo info() {
        return info;
    }

    int imageToken() {
        return imageToken;
    }

    /** All samples that a meta file lists. */
    TrainingSet samples(Path meta) {
        return new TrainingSet(meta, set -> new SampleLengths(tokenizer, tokensOfImages(set)));
    }

    private int tokensOfImages(DataSet set) {
        int most = set.maxTiles().orElse(tiling.dynamic() ? tiling.most() : SCRIPT_TILES);
        return info.tokensPerImage() * (most + (tiling.thumbnail() ? 1 : 0));
    }

    /**
     * Makes samples of lines.
     *
     * @param features of images that need not be decoded again
     */
    SampleReader reader(int maxLength, FeatureCache features) {
        return new SampleReader(
                tokenizer,
                DialogEncoder.of(template, tokenizer, maxLength),
                new Pictures(info.imageSize(), features),
                tiling,
                info.tokensPerImage());
    }

    /** Tiles of a sample at most, if it has so many images at most. */
    int mostTiles(int images, int maxLength) {
        int fit = maxLength / info.tokensPerImage();
        int more = tiling.thumbnail() ? 1 : 0;
        int alone = images == 0 ? 0 : tiling.most() + more;
        int together = images * (Math.max(1, tiling.most() / Math.max(1, images)) + more);
        return Math.min(fit, Math.max(alone, together));
    }

    /** The values of an image's tiles. */
    Tensor pixels(Picture picture) {
        if (picture.image() == null) {
            throw new IllegalStateException("the image was not decoded");
        }
        return processor.preprocess(List.of(picture.image()), picture.tiling());
    }
}
