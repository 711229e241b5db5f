package io.github.internvl4j.cli;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Earlier turns as JSON has them: a list of [question, answer]. */
final class History {
    /** What messages call it. */
    static final String EXPECTED = "an array of [question, answer]";

    private History() {}

    static List<Turn> read(Path file) throws IOException {
        String text = Utf8.decode(Files.readAllBytes(file), file.toString());
        try {
            return new Fields.Entry("", Json.parse(text)).list(EXPECTED, History::turn);
        } catch (PromptException e) {
            String why = Failures.oneLine(e.getMessage());
            throw new PromptException(
                    file + ": " + (why.contains(EXPECTED) ? why : "expected " + EXPECTED + ": " + why), e);
        }
    }

    static Turn turn(Fields.Entry entry) {
        List<String> pair = entry.list("[question, answer]", Fields.Entry::text);
        if (pair.size() != 2) {
            throw new PromptException(
                    "field " + entry.path() + ": expected [question, answer], found " + pair.size() + " strings");
        }
        return Turn.of(pair.get(0), pair.get(1));
    }
}
