package io.github.internvl4j;

import java.util.List;

/**
 * A model's shape.
 *
 * @param imageSize pixels on a side
 * @param imageChannels colour channels
 * @param tokensPerImage tokens that a picture takes in the prompt
 * @param contextLength tokens of prompt and answer together
 * @param vocabularySize rows of the token table
 * @param hiddenSize width of the decoder
 * @param visionLayers layers of the vision tower
 * @param decoderLayers layers of the language model
 * @param parameters weights in all
 * @param stored the type the weights are stored in; {@link Precision#AUTO} if the configuration does not tell
 * @param precision as loaded; {@link Precision#AUTO} before
 * @param kvCache the type of the KV cache, likewise
 * @param eosTokens the stop tokens that generation_config.json names, or else config.json. An answer ends at the template's own,
 *     as in the original's chat; those that differ from it count only in {@link GenerationConfig#stopTokens}
 * @param conversationTemplate its name
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
        String conversationTemplate) {}
