package io.github.internvl4j.cli;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Piece;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** One answer, or a conversation at the terminal. */
@Command(
        name = "chat",
        description = "Answers a prompt; without --prompt, talks at the terminal.",
        footer = {
            "",
            "Examples:",
            "  internvl4j chat --model DIR --image photo.jpg --prompt 'Please describe the image shortly.'",
            "  internvl4j chat --model DIR --image a.jpg --image b.jpg --prompt 'What differs?' --json",
            "  internvl4j chat --model DIR --video film.mp4 --frames 8 --prompt 'What happens?'",
            "  internvl4j chat --model DIR"
        })
final class ChatCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private ModelOptions model;

    @Mixin
    private PromptOptions input;

    @Mixin
    private SamplingOptions sampling;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The question.")
    private @Nullable String prompt;

    @Option(names = "--json", description = "Print one JSON object instead of streaming the text.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (prompt == null) {
            return talk();
        }
        Prompt asked = input.prompt(prompt); // before loading: a bad picture should not cost a load
        sampling.config();
        long started = System.nanoTime();
        try (InternVL loaded = model.load(main.streams, model.loadOptions())) {
            double loadSeconds = (System.nanoTime() - started) / 1e9;
            Reply reply = answer(loaded, asked);
            if (json) {
                main.streams.out().println(Json.text(fields(reply, loadSeconds)));
            }
        }
        return 0;
    }

    private Reply answer(InternVL loaded, Prompt asked) {
        Cancellation cancellation = new Cancellation();
        ReplyListener listener = json ? ReplyListener.none() : this::show;
        Reply reply = Interrupts.during(
                cancellation::cancel, () -> loaded.generate(asked, sampling.config(), listener, cancellation));
        if (!json) {
            main.streams.out().println();
        }
        return reply;
    }

    private void show(Piece piece) {
        main.streams.out().print(piece.text());
        main.streams.out().flush();
    }

    private Map<String, Object> fields(Reply reply, double loadSeconds) {
        Map<String, Object> fields = Json.of(reply, loadSeconds);
        if (sampling.temperature > 0) {
            fields.put("seed", sampling.seed());
        }
        return fields;
    }

    private int talk() throws IOException {
        try (InternVL loaded = model.load(main.streams, model.loadOptions())) {
            return new Conversation(loaded, input, sampling, main.streams).run();
        }
    }
}
