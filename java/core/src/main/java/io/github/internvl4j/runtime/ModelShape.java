package io.github.internvl4j.runtime;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.KvCacheType;
import io.github.internvl4j.ModelInfo.Layout;
import io.github.internvl4j.Precision;
import io.github.internvl4j.image.Tiling;
import java.util.List;
import java.util.OptionalInt;

/** The parts of a {@link io.github.internvl4j.ModelInfo}, which says what each one is. */
public record ModelShape(
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
        ActivationType activations,
        List<Integer> eosTokens,
        String conversationTemplate,
        Layout layout,
        String architecture,
        Tiling tiling,
        OptionalInt imageToken) {}
