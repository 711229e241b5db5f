package io.github.internvl4j;

import java.util.Objects;

/**
 * One prompt of a batch with its own settings.
 *
 * @param prompt what is asked
 * @param config how the answer is drawn
 */
public record BatchRequest(Prompt prompt, GenerationConfig config) {
    public BatchRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(config, "config");
    }
}
