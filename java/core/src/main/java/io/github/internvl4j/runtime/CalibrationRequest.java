package io.github.internvl4j.runtime;

import io.github.internvl4j.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What a model would be asked, for the inputs that it gives the decoder's layers.
 *
 * @param tokens the whole prompt
 * @param imageToken the placeholder for a row of an image
 * @param pixels (images, channels, S, S), normalized; null for none
 */
public record CalibrationRequest(
        int[] tokens, int imageToken, @Nullable Tensor pixels) {}
