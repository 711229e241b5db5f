package io.github.internvl4j;

import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.runtime.ModelShape;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A model's shape. */
public final class ModelInfo {
    /** How a checkpoint's folder is laid out. In the order of ivl_layout. */
    public enum Layout {
        /** {@code InternVLChatModel}: the model's own repository format. */
        REMOTE_CODE,
        /** {@code InternVLForConditionalGeneration}: the format of transformers ({@code -hf}). */
        TRANSFORMERS
    }

    private final ModelShape shape;

    ModelInfo(ModelShape shape) {
        this.shape = shape;
    }

    /** Pixels on a side. */
    public int imageSize() {
        return shape.imageSize();
    }

    /** Colour channels. */
    public int imageChannels() {
        return shape.imageChannels();
    }

    /** Tokens that a tile takes in the prompt, or an image that is not cut into tiles. */
    public int tokensPerImage() {
        return shape.tokensPerImage();
    }

    /** Tokens of prompt and answer together. */
    public int contextLength() {
        return shape.contextLength();
    }

    /** Rows of the token table. */
    public int vocabularySize() {
        return shape.vocabularySize();
    }

    /** The width of the decoder. */
    public int hiddenSize() {
        return shape.hiddenSize();
    }

    /** Layers of the vision tower. */
    public int visionLayers() {
        return shape.visionLayers();
    }

    /** Layers of the language model. */
    public int decoderLayers() {
        return shape.decoderLayers();
    }

    /** How many weights there are in all. */
    public long parameters() {
        return shape.parameters();
    }

    /** The type the weights are stored in; {@link Precision#AUTO} if the configuration does not tell. */
    public Precision stored() {
        return shape.stored();
    }

    /** The type of the weights as loaded; {@link Precision#AUTO} before. */
    public Precision precision() {
        return shape.precision();
    }

    /** The type of the KV cache as loaded; {@link KvCacheType#AUTO} before. */
    public KvCacheType kvCache() {
        return shape.kvCache();
    }

    /** The type of the CPU's activations as loaded; {@link ActivationType#AUTO} before. */
    public ActivationType activations() {
        return shape.activations();
    }

    /**
     * The stop tokens that generation_config.json names, or else config.json. In the layout of transformers an answer ends at
     * these; in the other at the template's own, as in the original's chat, and those that differ from it count only in {@link
     * GenerationConfig#stopTokens}.
     */
    public List<Integer> eosTokens() {
        return shape.eosTokens();
    }

    /** The conversation template's name; empty where the folder's chat template is its own. */
    public String conversationTemplate() {
        return shape.conversationTemplate();
    }

    /** How the folder is laid out, and with it which prompt, image kernel and tokenizer belong to it. */
    public Layout layout() {
        return shape.layout();
    }

    /** The decoder, as transformers names it: {@code Qwen2ForCausalLM}. */
    public String architecture() {
        return shape.architecture();
    }

    /**
     * How images are cut; the limits that preprocessor_config.json has in the layout of transformers are those of {@link
     * ImageProcessor#tiling}.
     */
    public Tiling tiling() {
        return shape.tiling();
    }

    /** The token that stands for the rows of images, where the configuration says it. */
    public OptionalInt imageToken() {
        return shape.imageToken();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ModelInfo that && shape.equals(that.shape);
    }

    @Override
    public int hashCode() {
        return shape.hashCode();
    }

    @Override
    public String toString() {
        return shape.toString().replaceFirst("ModelShape", "ModelInfo");
    }
}
