package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** A checkpoint in int8. */
@Command(
        name = "quantize",
        description = {
            "Writes a checkpoint whose linear layers are in int8 already: half the size on disk, mapped as it is at load.",
            "Answers are those of --precision int8, which quantizes while it loads."
        },
        footer = {"", "Example:", "  internvl4j quantize --model DIR --out DIR-int8"})
final class QuantizeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder, or one without weights.")
    private Path out;

    @Option(names = "--quantize-vision", description = "The vision tower and the projector too.")
    private boolean vision;

    @Override
    public Integer call() {
        try (LoadBar bar = new LoadBar("quantizing", main.streams)) {
            InternVL.quantize(model.path(), out, vision, bar);
        }
        main.streams.out().println("int8 checkpoint in " + out);
        return 0;
    }
}
