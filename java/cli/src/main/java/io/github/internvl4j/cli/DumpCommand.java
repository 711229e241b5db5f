package io.github.internvl4j.cli;

import io.github.internvl4j.Activations;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Every activation of a prompt. */
@Command(
        name = "dump",
        description = "Writes what every layer computes for a prompt, as f32, into a safetensors file.",
        footer = {
            "",
            "Example:",
            "  internvl4j dump --model DIR --image photo.jpg --prompt 'Describe the image.' --out ours.safetensors"
        })
final class DumpCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private ModelOptions model;

    @Mixin
    private PromptOptions input;

    @Mixin
    private QuestionOptions question;

    @Mixin
    private AdapterOptions adapters;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The safetensors file to write.")
    private Path out;

    @Override
    public Integer call() throws IOException {
        input.validate();
        Prompt asked = input.prompt(question.required(main.streams));
        try (InternVL loaded = model.load(main.streams, model.loadOptions());
                AdapterOptions.Loaded tuned = adapters.load(loaded)) {
            tuned.tell(main);
            Activations activations = loaded.activations(asked, adapters.of(GenerationConfig.defaults()));
            activations.save(out);
            main.streams
                    .out()
                    .println(activations.tensors().size() + " activations of "
                            + activations.promptTokens().size() + " tokens in " + out);
        }
        return 0;
    }
}
