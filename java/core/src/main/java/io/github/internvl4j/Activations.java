package io.github.internvl4j;

import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What every layer computed for a prompt, as f32: {@code vision.embeddings}, {@code vision.layers.N},
 * {@code vision.pixel_shuffle}, {@code projector}, {@code decoder.embeddings}, {@code decoder.layers.N},
 * {@code decoder.norm}, {@code logits}. Vision entries are (images, tokens, width), decoder entries (1, tokens, width).
 *
 * @param tensors by name, in the order in which they were computed
 * @param promptTokens the prompt's ids
 */
public record Activations(Map<String, Tensor> tensors, List<Integer> promptTokens) {
    public Activations {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        promptTokens = List.copyOf(promptTokens);
    }

    /** Writes all of them into one safetensors file. */
    public void save(Path file) {
        Safetensors.write(file, tensors);
    }
}
