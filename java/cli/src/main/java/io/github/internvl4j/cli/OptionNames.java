package io.github.internvl4j.cli;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What options are called here. The library's message of an option that is out of its range begins with the option's name in
 * Java or C, {@code maxNewTokens is 0, expected at least 1}; who typed {@code --max-new-tokens} or {@code "max_new_tokens"}
 * is told that.
 */
final class OptionNames {
    /** Those whose names differ in more than their spelling. */
    private static final Map<String, String> OTHERS = Map.of(
            "context-length", "context",
            "map-weights", "no-mmap",
            "max-batch", "batch-size",
            "num-segments", "frames",
            "stop-strings", "stop",
            "vision-precision", "quantize-vision",
            "adapters", "adapter",
            "decoder-rank", "rank");

    private static final Set<String> SAME = Set.of(
            "accumulation",
            "activations",
            "adapter",
            "affinity",
            "beams",
            "decay",
            "device",
            "draft",
            "end",
            "epochs",
            "frequency-penalty",
            "held-out",
            "held-out-data",
            "host",
            "json-schema",
            "kv-cache",
            "kv-memory",
            "length-penalty",
            "logit-bias",
            "max-length",
            "max-new-tokens",
            "max-tiles",
            "memory-limit",
            "micro-batch",
            "min-new-tokens",
            "min-p",
            "most-norm",
            "port",
            "precision",
            "presence-penalty",
            "quantize-vision",
            "queue",
            "rate",
            "repetition-penalty",
            "seed",
            "start",
            "temperature",
            "template",
            "threads",
            "tolerance",
            "top-k",
            "top-logprobs",
            "top-p",
            "vision-rank",
            "warm-up");

    private OptionNames() {}

    /** The message with the option as the command line has it. */
    static String inCommand(InvalidOptionException failure) {
        return renamed(failure, "--", '-');
    }

    /** The message with the option as a line of a batch has it. */
    static String inLine(InvalidOptionException failure) {
        return renamed(failure, "", '_');
    }

    private static String renamed(InvalidOptionException failure, String prefix, char separator) {
        String message = Failures.oneLine(failure.getMessage());
        int space = message.indexOf(' ');
        String name = space < 0 ? null : option(message.substring(0, space));
        return name == null ? message : prefix + name.replace('-', separator) + message.substring(space);
    }

    /** The command line's name, without its dashes, of an option of the library; null if it has none. */
    static @Nullable String option(String name) {
        String words =
                name.replaceAll("([a-z0-9])([A-Z])", "$1-$2").replace('_', '-').toLowerCase(Locale.ROOT);
        return SAME.contains(words) ? words : OTHERS.get(words);
    }
}
