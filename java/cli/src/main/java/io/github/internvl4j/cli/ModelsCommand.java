package io.github.internvl4j.cli;

import io.github.internvl4j.Precision;
import io.github.internvl4j.server.openai.JsonText;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** The published models, by the library's own answer to their configurations. */
@Command(
        name = "models",
        description = "The family's published models: which run, what memory they take, and which fit here now.",
        footer = {
            "",
            "Memory is that of one request at a time on the CPU, in GiB, at 4,096 tokens of context. The last column is the",
            "widest of bf16, int8 and int4 that fits now. Published weights are in bf16; f32 keeps them so, computed in f32.",
            "",
            "Examples:",
            "  internvl4j models",
            "  internvl4j models --json"
        })
final class ModelsCommand implements Callable<Integer> {
    private static final double MIB_IN_GIB = 1024;

    @ParentCommand
    private Main main;

    @Option(names = "--json", description = "Print one JSON array, with memory in MiB.")
    private boolean json;

    @Option(
            names = "--markdown",
            description = "Print the table of the documentation, which tells nothing of this machine.")
    private boolean markdown;

    @Override
    public Integer call() throws IOException {
        List<ModelNeeds> all = new ArrayList<>();
        for (KnownModel model : KnownModel.all()) {
            all.add(ModelNeeds.of(model, !markdown));
        }
        PrintStream out = main.streams.out();
        if (json) {
            out.println(JsonText.text(all.stream().map(ModelsCommand::fields).toList()));
        } else if (markdown) {
            out.print(markdown(all));
        } else {
            print(all, out);
        }
        return 0;
    }

    private static void print(List<ModelNeeds> all, PrintStream out) {
        String form = "%-44s %8s %8s %8s %8s %8s  %s%n";
        out.printf(form, "model", "billions", "int4", "int8", "bf16", "f32", "fits");
        for (ModelNeeds model : all) {
            String name = model.model().names();
            if (model.whyNot() != null) {
                out.printf("%-44s does not run: %s%n", name, model.whyNot());
                continue;
            }
            List<String> memory = model.memory().stream()
                    .map(needs -> gib(needs.shortContext()))
                    .toList();
            Precision fits = model.fits();
            String here = fits == null ? "no" : fits.name().toLowerCase(Locale.ROOT);
            out.printf(form, name, billions(model), memory.get(0), memory.get(1), memory.get(2), memory.get(3), here);
        }
    }

    /** The same on any machine. */
    static String markdown(List<ModelNeeds> all) {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "model",
                "tower",
                "decoder",
                "parameters",
                "template",
                "context",
                "int4, GiB",
                "int8, GiB",
                "bf16, GiB",
                "f32, GiB",
                "as");
        line(text, "---", "---", "---", "---", "---", "---", "---", "---", "---", "---", "---");
        for (ModelNeeds needs : all) {
            KnownModel model = needs.model();
            List<String> cells = new ArrayList<>(List.of(model.names(), model.tower(), model.decoder()));
            if (needs.whyNot() != null) {
                cells.addAll(List.of("", model.template(), "", "", "", "", "", "does not run: " + needs.whyNot()));
            } else {
                cells.addAll(List.of(billions(needs) + " B", model.template(), String.valueOf(needs.context())));
                for (ModelNeeds.Needs memory : needs.memory()) {
                    cells.add(gib(memory.shortContext())
                            + (needs.context() == ModelNeeds.SHORT ? "" : " / " + gib(memory.full())));
                }
                cells.add(model.proof());
            }
            line(text, cells.toArray(new String[0]));
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String billions(ModelNeeds model) {
        return String.format(Locale.ROOT, "%.2f", model.parameters() / 1e9);
    }

    private static String gib(long mib) {
        return String.format(Locale.ROOT, "%.1f", mib / MIB_IN_GIB);
    }

    private static Map<String, Object> fields(ModelNeeds needs) {
        KnownModel model = needs.model();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("models", List.of(model.names().split(", ")));
        fields.put("tower", model.tower());
        fields.put("decoder", model.decoder());
        fields.put("template", model.template());
        fields.put("runs", needs.whyNot() == null);
        if (needs.whyNot() != null) {
            fields.put("why_not", needs.whyNot());
            return fields;
        }
        fields.put("parameters", needs.parameters());
        fields.put("context", needs.context());
        fields.put("memory_mib", needs.memory());
        fields.put("fits", needs.fits());
        fields.put("proof", model.proof());
        return fields;
    }
}
