package io.github.internvl4j.cli;

import io.github.internvl4j.VisionPrecision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What quantizing makes of the vision tower. */
final class VisionOption {
    @Option(
            names = "--quantize-vision",
            arity = "0..1",
            fallbackValue = "int8",
            paramLabel = "P",
            description = {
                "With int8 or int4: the vision tower and the projector too, in int8.",
                "--quantize-vision=int4 for 4 bits, which the model card warns of: answers about images get worse or wrong."
            })
    private @Nullable VisionPrecision precision;

    VisionPrecision precision() {
        return precision == null ? VisionPrecision.AS_STORED : precision;
    }
}
