package io.github.internvl4j;

import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.Tiling;
import java.util.List;
import java.util.OptionalInt;

/**
 * A model's shape.
 *
 * @param imageSize pixels on a side
 * @param imageChannels colour channels
 * @param tokensPerImage tokens that a tile takes in the prompt, or an image that is not cut into tiles
 * @param contextLength tokens of prompt and answer together
 * @param vocabularySize rows of the token table
 * @param hiddenSize width of the decoder
 * @param visionLayers layers of the vision tower
 * @param decoderLayers layers of the language model
 * @param parameters weights in all
 * @param stored the type the weights are stored in; {@link Precision#AUTO} if the configuration does not tell
 * @param precision as loaded; {@link Precision#AUTO} before
 * @param kvCache the type of the KV cache, likewise
 * @param eosTokens the stop tokens that generation_config.json names, or else config.json. In the layout of transformers an answer
 *     ends at these; in the other at the template's own, as in the original's chat, and those that differ from it count only in
 *     {@link GenerationConfig#stopTokens}
 * @param conversationTemplate its name; empty where the folder's chat template is its own
 * @param layout how the folder is laid out, and with it which prompt, image kernel and tokenizer belong to it
 * @param architecture of the decoder, as transformers names it: {@code Qwen2ForCausalLM}
 * @param tiling how images are cut; the limits that preprocessor_config.json has in the layout of transformers are those of
 *     {@link ImageProcessor#tiling}
 * @param imageToken the token whose places images take, where the configuration says it
 */
public record ModelInfo(
        int imageSize,
        int imageChannels,
        int tokensPerImage,
        int contextLength,
        int vocabularySize,
        int hiddenSize,
        int visionLayers,
        int decoderLayers,
        long parameters,
        Precision stored,
        Precision precision,
        KvCacheType kvCache,
        List<Integer> eosTokens,
        String conversationTemplate,
        Layout layout,
        String architecture,
        Tiling tiling,
        OptionalInt imageToken) {

    /** How a checkpoint's folder is laid out. In the order of ivl_layout. */
    public enum Layout {
        /** {@code InternVLChatModel}: the model's own repository format. */
        REMOTE_CODE,
        /** {@code InternVLForConditionalGeneration}: the format of transformers ({@code -hf}). */
        TRANSFORMERS
    }
}
