package io.github.internvl4j;

import io.github.internvl4j.host.Members;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One prompt of a batch with its own settings. */
public final class BatchRequest {
    private final Prompt prompt;
    private final GenerationConfig config;

    private BatchRequest(Prompt prompt, GenerationConfig config) {
        this.prompt = Objects.requireNonNull(prompt, "prompt");
        this.config = Objects.requireNonNull(config, "config");
    }

    /** A prompt, and how its answer is drawn. */
    public static BatchRequest of(Prompt prompt, GenerationConfig config) {
        return new BatchRequest(prompt, config);
    }

    /** What is asked. */
    public Prompt prompt() {
        return prompt;
    }

    /** How the answer is drawn. */
    public GenerationConfig config() {
        return config;
    }

    private Members members() {
        return Members.of("prompt", prompt).and("config", config);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BatchRequest that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "BatchRequest" + members();
    }
}
