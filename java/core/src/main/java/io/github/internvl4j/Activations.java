package io.github.internvl4j;

import io.github.internvl4j.host.Members;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What every layer computed for a prompt, as f32: {@code vision.embeddings}, {@code vision.layers.N},
 * {@code vision.pixel_shuffle}, {@code projector}, {@code decoder.embeddings}, {@code decoder.layers.N},
 * {@code decoder.norm}, {@code logits}. Vision entries are (images, tokens, width), decoder entries (1, tokens, width).
 */
public final class Activations {
    private final Map<String, Tensor> tensors;
    private final List<Integer> promptTokens;

    Activations(Map<String, Tensor> tensors, List<Integer> promptTokens) {
        this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        this.promptTokens = List.copyOf(promptTokens);
    }

    /** Writes all of them into one safetensors file. */
    public void save(Path file) {
        Objects.requireNonNull(file, "file");
        Safetensors.write(file, tensors);
    }

    /** By name, in the order in which they were computed. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** The prompt's ids. */
    public List<Integer> promptTokens() {
        return promptTokens;
    }

    private Members members() {
        return Members.of("tensors", tensors).and("promptTokens", promptTokens);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Activations that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "Activations" + members();
    }
}
