package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.Precision;
import io.github.internvl4j.error.InvalidOptionException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** A checkpoint in int8 or int4. */
@Command(
        name = "quantize",
        description = {
            "Writes a checkpoint whose decoder is in 8 or 4 bits already: a half or a third of the size on disk, mapped as it is",
            "at load. Answers are those of --precision int8 or int4, which quantize while they load."
        },
        footer = {
            "",
            "Examples:",
            "  internvl4j quantize --model DIR --out DIR-int8",
            "  internvl4j quantize --model DIR --bits 4 --quantize-vision --out DIR-int4"
        })
final class QuantizeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder, or one without weights.")
    private Path out;

    @Option(
            names = "--bits",
            defaultValue = "8",
            paramLabel = "N",
            description = "8 (default) or 4: of the decoder's linear layers. The head is in 8.")
    private int bits;

    @Mixin
    private VisionOption vision;

    @Override
    public Integer call() {
        if (bits != 8 && bits != 4) {
            throw new InvalidOptionException("--bits is " + bits + ", expected 8 or 4");
        }
        Precision precision = bits == 8 ? Precision.INT8 : Precision.INT4;
        try (LoadBar bar = new LoadBar("quantizing", main.streams)) {
            InternVL.quantize(model.path(), out, precision, vision.precision(), bar);
        }
        main.streams.out().println("int" + bits + " checkpoint in " + out);
        return 0;
    }
}
