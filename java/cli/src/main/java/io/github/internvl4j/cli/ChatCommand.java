package io.github.internvl4j.cli;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.Chunk;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import io.github.internvl4j.WhenFull;
import io.github.internvl4j.server.openai.JsonText;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** One answer, or a conversation at the terminal. */
@Command(
        name = "chat",
        description = "Answers a prompt; without one, talks at the terminal.",
        footer = {
            "",
            "<image> in the questions is an image's placeholder, in order; without any, the images come first.",
            "",
            "Examples:",
            "  internvl4j chat --model DIR --image photo.jpg --prompt 'Please describe the image shortly.'",
            "  internvl4j chat --model DIR --image a.jpg --image b.jpg --prompt 'What differs?' --json",
            "  internvl4j chat --model DIR --video video.mp4 --frames 8 --prompt 'What happens?'",
            "  internvl4j chat --model DIR --prompt-file question.txt",
            "  internvl4j chat --model DIR --thinking --prompt 'Is 1001 a prime number?' 2>thoughts.txt",
            "  internvl4j chat --model DIR --adapter TUNED --adapter OTHER=0.5",
            "  internvl4j chat --model DIR",
            "  internvl4j chat --model DIR --when-full drop-oldest"
        })
final class ChatCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Mixin
    private PromptOptions input;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private QuestionOptions question;

    @Option(names = "--json", description = "Print one JSON object instead of streaming the text.")
    private boolean json;

    @Option(
            names = "--when-full",
            paramLabel = "WHAT",
            description =
                    "What a conversation does when it no longer fits the context: fail (default; the question is not asked), or"
                            + " drop-oldest, which forgets the oldest turns.")
    private @Nullable WhenFull whenFull;

    @Override
    public Integer call() throws IOException {
        input.validate();
        GenerationConfig config = sampling.config(input.rules().thinking());
        String text = question.read(main.streams);
        if (text == null) {
            return talk();
        }
        if (whenFull != null) {
            throw new ParameterException(
                    spec.commandLine(), "--when-full is for conversations, so --prompt and --prompt-file exclude it");
        }
        Prompt asked = input.prompt(text); // before loading: a bad image should not cost a load
        long started = System.nanoTime();
        try (InternVL loaded = model.load(main.streams, model.loadOptions());
                AdapterOptions.Loaded adapters = sampling.load(loaded)) {
            double loadSeconds = (System.nanoTime() - started) / 1e9;
            adapters.tell(main);
            config = config.adapters(adapters.adapters());
            if (config.temperature() > 0) {
                main.detail("seed " + config.seed());
            }
            Cancellation cancellation = new Cancellation();
            AnswerPrinter printer = new AnswerPrinter(main.streams);
            ReplyListener listener = json ? ReplyListener.none() : chunk -> show(printer, chunk, cancellation);
            try (Interrupts interrupts = new Interrupts(cancellation::cancel)) {
                Reply reply = loaded.generate(asked, config, listener, cancellation);
                printer.end();
                main.streams.out().println(json ? JsonText.text(fields(reply, config, loadSeconds)) : "");
                return interrupts.status();
            }
        }
    }

    private void show(AnswerPrinter printer, Chunk chunk, Cancellation cancellation) {
        printer.show(chunk.thinking(), chunk.text());
        if (main.streams.outFailure() != null) {
            cancellation.cancel(); // nobody reads on
        }
    }

    private static Map<String, Object> fields(Reply reply, GenerationConfig config, double loadSeconds) {
        Map<String, Object> fields = Json.of(reply, config);
        Map<String, Object> seconds = new LinkedHashMap<>();
        seconds.put("load", loadSeconds);
        seconds.putAll(Json.seconds(reply.timings()));
        fields.put("seconds", seconds);
        return fields;
    }

    private int talk() throws IOException {
        if (json || input.hasHistory()) {
            throw new ParameterException(
                    spec.commandLine(), (json ? "--json" : "--history") + " needs --prompt or --prompt-file");
        }
        Queue queue = new Queue(input);
        try (InternVL loaded = model.load(main.streams, model.loadOptions());
                AdapterOptions.Loaded adapters = sampling.load(loaded)) {
            adapters.tell(main);
            return new Conversation(main, loaded, input, sampling, queue, whenFull == null ? WhenFull.FAIL : whenFull)
                    .run();
        }
    }
}
