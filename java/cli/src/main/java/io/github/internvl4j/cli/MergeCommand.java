package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.MergeRounding;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** An adapter merged into its checkpoint. */
@Command(
        name = "merge",
        description = {
            "Writes a checkpoint with a LoRA adapter merged into its weights. Without --adapter, the pairs are merged that a",
            "checkpoint has beside its layers, as the original's training saves them."
        },
        footer = {
            "",
            "Examples:",
            "  internvl4j merge --model DIR --adapter TUNED --out DIR-tuned",
            "  internvl4j merge --model DIR-lora --out DIR-merged --rounding in-type"
        })
final class MergeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "The adapter, as PEFT saves it.")
    private @Nullable Path adapter;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder, or one without weights.")
    private Path out;

    @Option(
            names = "--rounding",
            defaultValue = "once",
            paramLabel = "HOW",
            description = {
                "Of 16-bit weights: once (default), which is nearest to the adapter beside the weights; or in-type, which",
                "rounds the product and the sum, as the original's merge_lora.py does."
            })
    private MergeRounding rounding;

    @Override
    public Integer call() {
        try (LoadBar bar = new LoadBar("merging", main.streams)) {
            InternVL.merge(model.path(), adapter, out, rounding, bar);
        }
        main.streams.out().println("merged checkpoint in " + out);
        return 0;
    }
}
