package io.github.internvl4j.cli;

import io.github.internvl4j.Chat;
import io.github.internvl4j.ChatOptions;
import io.github.internvl4j.Chunk;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.WhenFull;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
            /image FILE    show an image with the next question
            /video FILE    show a video's frames with the next question
            /system TEXT   begin anew with this system message; without a text, with the usual one
            /undo          take the last question and its answer back
            /reset         begin anew
            /help          this
            /exit          leave (also Ctrl-D)
            Ctrl-C stops an answer.""";

    private final Main main;
    private final InternVL model;
    private final SamplingOptions sampling;
    private final boolean thinking;
    private final Queue queue;
    private final WhenFull whenFull;
    private final PrintStream out;
    private Chat chat;
    private boolean over;

    /** Where questions come from; null at their end. */
    private interface Questions {
        @Nullable
        String next() throws IOException;
    }

    Conversation(
            Main main, InternVL model, PromptOptions input, SamplingOptions sampling, Queue queue, WhenFull whenFull) {
        this.main = main;
        this.model = model;
        this.sampling = sampling;
        this.queue = queue;
        this.whenFull = whenFull;
        out = main.streams.out();
        thinking = input.rules().thinking();
        chat = open(input.system());
    }

    private Chat open(@Nullable String system) {
        return model.chat(
                ChatOptions.defaults().thinking(thinking).system(system).whenFull(whenFull));
    }

    /** Returns the exit status: 0 unless the last question failed or a signal ended it. */
    int run() throws IOException {
        if (!main.streams.inIsTerminal()) {
            JsonLines lines = new JsonLines(main.streams.in());
            return converse(() -> {
                JsonLines.Line line = lines.next();
                return line == null ? null : new String(line.bytes(), StandardCharsets.UTF_8);
            });
        }
        try (Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .dumb(true)
                .encoding(StandardCharsets.UTF_8)
                .build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // a question may hold !
                    .build();
            out.println("Ask, or /help.");
            int status = converse(() -> read(reader));
            return over ? status : 0;
        }
    }

    /** Ctrl-C empties the line; on an empty one, the second in a row leaves. */
    private @Nullable String read(LineReader reader) {
        for (int interrupts = 0; interrupts < 2; ) {
            try {
                return reader.readLine("> ");
            } catch (UserInterruptException e) {
                boolean empty = e.getPartialLine() == null || e.getPartialLine().isBlank();
                interrupts = empty ? interrupts + 1 : 0;
                if (interrupts == 1) {
                    out.println("(Ctrl-C again, or Ctrl-D, leaves)");
                }
            } catch (EndOfFileException e) {
                return null;
            }
        }
        return null;
    }

    private int converse(Questions questions) throws IOException {
        int status = 0;
        try {
            String line;
            while (!over
                    && main.streams.outFailure() == null
                    && (line = questions.next()) != null
                    && !line.strip().equals("/exit")) {
                try {
                    status = take(line.strip());
                } catch (RuntimeException | OutOfMemoryError e) {
                    status = main.report(e);
                }
            }
        } finally {
            chat.close();
        }
        return status;
    }

    private int take(String line) {
        if (!line.startsWith("/")) {
            return line.isEmpty() ? 0 : ask(line);
        }
        String[] words = line.split("\\s+", 2);
        String argument = words.length < 2 ? "" : words[1];
        switch (words[0]) {
            case "/help" -> out.println(HELP);
            case "/image" -> queue.addImage(file(words[0], argument));
            case "/video" -> queue.setVideo(file(words[0], argument));
            case "/undo" -> {
                if (chat.undo().isEmpty()) {
                    throw new PromptException("there is no question to take back");
                }
            }
            case "/reset" -> {
                chat.reset();
                queue.clear();
            }
            case "/system" -> {
                Chat next = open(argument.isEmpty() ? null : argument);
                chat.close();
                chat = next;
                queue.clear();
            }
            default -> throw new PromptException("no command " + words[0] + "; see /help");
        }
        return 0;
    }

    private static String file(String command, String argument) {
        if (argument.isEmpty()) {
            throw new PromptException(command + " needs a file");
        }
        return argument;
    }

    /** Returns the status of a program that a signal ended, or 0. */
    private int ask(String question) {
        Prompt prompt = queue.prompt(question);
        try (Interrupts interrupts = new Interrupts(chat::cancel)) {
            AnswerPrinter printer = new AnswerPrinter(main.streams);
            Reply reply = chat.ask(prompt, sampling.config(thinking), chunk -> show(printer, chunk));
            printer.end();
            boolean cancelled = reply.finish() == FinishReason.CANCELLED;
            out.println(cancelled ? " [stopped]" : "");
            if (reply.droppedTurns() > 0) {
                main.streams
                        .err()
                        .println("internvl4j: to make room, turns were forgotten: the oldest " + reply.droppedTurns());
            }
            if (!cancelled || !reply.response().isEmpty()) {
                queue.clear(); // what was stopped before its first word was never asked
            }
            // At a terminal Ctrl-C is for the answer.
            over = interrupts.status() != 0 && !(interrupts.byKey() && main.streams.inIsTerminal());
            return over ? interrupts.status() : 0;
        } catch (ContextLengthException e) {
            throw withWaysOut(e);
        }
    }

    /** With the commands that help, where the library's message tells the methods that do. */
    private static ContextLengthException withWaysOut(ContextLengthException e) {
        if (!(e.getCause() instanceof ContextLengthException bare)) {
            return e; // the question is too long by itself
        }
        return new ContextLengthException(
                bare.getMessage()
                        + "; /undo takes the last question back, /reset begins anew, --when-full drop-oldest makes room",
                e);
    }

    private void show(AnswerPrinter printer, Chunk chunk) {
        printer.show(chunk.thinking(), chunk.text());
        if (main.streams.outFailure() != null) {
            chat.cancel(); // nobody reads on
        }
    }
}
