package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.Precision;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

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
            "  internvl4j quantize --model DIR --bits 4 --quantize-vision --out DIR-int4",
            "  internvl4j quantize --model DIR --bits 4 --calibrate questions.jsonl --out DIR-int4"
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

    @Option(
            names = "--calibrate",
            paramLabel = "FILE",
            description = {
                "With --bits 4: what the model is asked, as batch reads it, some hundred requests with their images. The",
                "decoder's weights are rounded so that little is lost for such. Takes hours with a large model; the same",
                "command goes on behind the layers that are done."
            })
    private @Nullable Path calibrate;

    @Mixin
    private InputRules rules;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (bits != 8 && bits != 4) {
            throw new InvalidOptionException("--bits is " + bits + ", expected 8 or 4");
        }
        if (bits == 8 && calibrate != null) {
            throw new InvalidOptionException("--calibrate goes with --bits 4: 8 bits take no calibration");
        }
        if (calibrate != null) {
            calibrated(calibrate);
        } else {
            rounded();
        }
        main.streams.out().println("int" + bits + " checkpoint in " + out);
        return 0;
    }

    private void rounded() {
        for (OptionSpec option : CommandSpec.forAnnotatedObject(rules).options()) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option.longestName())) {
                throw new InvalidOptionException(
                        option.longestName() + " goes with --calibrate: it says how requests are read");
            }
        }
        Precision precision = bits == 8 ? Precision.INT8 : Precision.INT4;
        try (LoadBar bar = new LoadBar("quantizing", main.streams)) {
            InternVL.quantize(model.path(), out, precision, vision.precision(), bar);
        }
    }

    private void calibrated(Path requests) throws IOException {
        rules.validate();
        try (CalibrationLines lines = new CalibrationLines(requests, rules, main.streams);
                LoadBar bar = new LoadBar("calibrating", main.streams)) {
            InternVL.quantizeCalibrated(model.path(), out, vision.precision(), () -> lines, bar);
        }
    }
}
