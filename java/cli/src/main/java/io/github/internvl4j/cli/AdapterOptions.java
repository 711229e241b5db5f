package io.github.internvl4j.cli;

import io.github.internvl4j.Adapter;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** What the model was fine-tuned to, beside its weights. */
final class AdapterOptions {
    @Option(
            names = "--adapter",
            paramLabel = "DIR[=WEIGHT]",
            description =
                    "A LoRA adapter as PEFT saves it, and how much of it (default: 1); may be given again, then they"
                            + " are added up.")
    private List<String> typed = List.of();

    private final Map<Adapter, Float> loaded = new LinkedHashMap<>();

    /** Loads them into the model, for {@link #of}; they are freed by what is returned. */
    Loaded load(InternVL model) {
        Loaded all = new Loaded(loaded);
        try {
            for (String each : typed) {
                Choice choice = Choice.of(each);
                loaded.put(model.loadAdapter(FileNames.option(choice.folder())), choice.weight());
            }
            return all;
        } catch (RuntimeException | Error e) {
            all.close();
            throw e;
        }
    }

    /** The settings with the adapters. */
    GenerationConfig of(GenerationConfig config) {
        return config.adapters(loaded);
    }

    /** @param adapters closed with this */
    record Loaded(Map<Adapter, Float> adapters) implements AutoCloseable {
        /** Tells of each, where more is wanted to be told. */
        void tell(Main main) {
            adapters.forEach((adapter, weight) -> main.detail(
                    "adapter " + adapter.directory() + ": " + adapter.bytes() + " bytes, weight " + weight));
        }

        @Override
        public void close() {
            adapters.keySet().forEach(Adapter::close);
        }
    }

    /**
     * @param folder of the adapter
     * @param weight what it adds is multiplied by this
     */
    record Choice(String folder, float weight) {
        /** What stands behind the last = is the weight, if it is a number: a folder's name may have a = of its own. */
        static Choice of(String typed) {
            int sign = typed.lastIndexOf('=');
            try {
                return sign < 1
                        ? new Choice(typed, 1)
                        : new Choice(typed.substring(0, sign), Float.parseFloat(typed.substring(sign + 1)));
            } catch (NumberFormatException e) {
                return new Choice(typed, 1);
            }
        }
    }
}
