package io.github.internvl4j.cli;

import io.github.internvl4j.Chat;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.image.Image;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** A conversation at the terminal, or over a pipe with one question a line. */
final class Conversation {
    private static final String HELP = """
            /image FILE    show a picture with the next question
            /video FILE    show a film's frames with the next question
            /reset         forget the conversation
            /help          this
            /exit          leave (also Ctrl-D)
            Ctrl-C stops an answer.""";

    private final InternVL model;
    private final PromptOptions input;
    private final SamplingOptions sampling;
    private final PrintStream out;
    private final Main.Streams streams;
    private final List<Image> images = new ArrayList<>();
    private @Nullable Path film;

    /** Where questions come from; null at their end. */
    private interface Questions {
        @Nullable String next() throws IOException;
    }

    Conversation(InternVL model, PromptOptions input, SamplingOptions sampling, Main.Streams streams) {
        this.model = model;
        this.input = input;
        this.sampling = sampling;
        this.streams = streams;
        out = streams.out();
        images.addAll(input.readImages(input.images));
        film = input.video;
    }

    int run() throws IOException {
        sampling.config();
        if (System.console() == null || streams.in() != System.in) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
            return converse(lines::readLine);
        }
        try (Terminal terminal = TerminalBuilder.builder().system(true).dumb(true).build()) {
            LineReader reader = LineReaderBuilder.builder().terminal(terminal).build();
            out.println("Ask, or /help.");
            return converse(() -> read(reader));
        }
    }

    /** Ctrl-C empties the line; a second one in a row leaves. */
    private @Nullable String read(LineReader reader) {
        for (int interrupts = 0; interrupts < 2; interrupts++) {
            try {
                return reader.readLine("> ");
            } catch (UserInterruptException e) {
                out.println("(Ctrl-C again, or Ctrl-D, leaves)");
            } catch (EndOfFileException e) {
                return null;
            }
        }
        return null;
    }

    private int converse(Questions questions) throws IOException {
        int status = 0;
        try (Chat chat = model.chat(input.system)) {
            String line;
            while ((line = questions.next()) != null && !line.strip().equals("/exit")) {
                try {
                    take(chat, line.strip());
                    status = 0;
                } catch (InternVLException e) {
                    streams.err().println("internvl4j: " + Failures.describe(e));
                    status = 1;
                }
            }
        }
        return status;
    }

    private void take(Chat chat, String line) {
        String argument = line.replaceFirst("^\\S+\\s*", "");
        if (line.isEmpty()) {
            return;
        } else if (line.equals("/help")) {
            out.println(HELP);
        } else if (line.equals("/reset")) {
            chat.reset();
            images.clear();
            film = null;
        } else if (line.startsWith("/image ")) {
            images.addAll(input.readImages(List.of(Path.of(argument))));
        } else if (line.startsWith("/video ")) {
            film = Path.of(argument);
        } else if (line.startsWith("/")) {
            streams.err().println("internvl4j: no command " + line + "; see /help");
        } else {
            ask(chat, line);
        }
    }

    private void ask(Chat chat, String question) {
        Prompt prompt = prompt(question).specialTokens(input.specialTokens);
        images.clear();
        film = null;
        Reply reply = Interrupts.during(chat::cancel, () -> chat.ask(prompt, sampling.config(), piece -> {
            out.print(piece.text());
            out.flush();
        }));
        out.println(reply.finish() == FinishReason.CANCELLED ? " [stopped]" : "");
    }

    private Prompt prompt(String question) {
        if (film != null) {
            return PromptOptions.film(question, film, input.frames);
        }
        boolean one = input.combine && !images.isEmpty();
        return one ? Prompt.combined(question, images.toArray(new Image[0])) : Prompt.of(question, images);
    }
}
