package io.github.internvl4j.spark;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.LoadOptions;
import java.io.Serializable;

/**
 * What executors are told.
 *
 * @param image the column of images; empty for none
 * @param together rows of a task that are answered together
 */
record Job(
        String model,
        String image,
        String prompt,
        String output,
        Setting<GenerationConfig> config,
        Setting<LoadOptions> loading,
        int together)
        implements Serializable {
    Job image(String value) {
        return new Job(model, value, prompt, output, config, loading, together);
    }

    Job prompt(String value) {
        return new Job(model, image, value, output, config, loading, together);
    }

    Job output(String value) {
        return new Job(model, image, prompt, value, config, loading, together);
    }

    Job config(Setting<GenerationConfig> value) {
        return new Job(model, image, prompt, output, value, loading, together);
    }

    Job loading(Setting<LoadOptions> value) {
        return new Job(model, image, prompt, output, config, value, together);
    }

    Job together(int value) {
        return new Job(model, image, prompt, output, config, loading, value);
    }
}
