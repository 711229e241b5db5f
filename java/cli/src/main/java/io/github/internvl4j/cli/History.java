package io.github.internvl4j.cli;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Earlier turns as JSON has them: a list of [question, answer]. */
final class History {
    /** What messages call it. */
    static final String EXPECTED = "an array of [question, answer]";

    /** The lines that the library puts images into, before a question that does not say itself where they stand. */
    private static final Pattern LINE = Pattern.compile("\\G(?:Frame\\d+: )?(" + ConversationTemplate.IMAGE + ")\n");

    private History() {}

    /**
     * The turns as they were asked. Where special tokens are text {@code <image>} is, too; but lines of images before a question are
     * still where its images stand, as long as there are any.
     *
     * @param images how many image entries come with the whole prompt
     */
    static List<Turn> shown(List<Turn> turns, SpecialTokens mode, int images) {
        if (mode != SpecialTokens.LITERAL) {
            return turns;
        }
        List<Turn> told = new ArrayList<>();
        int left = images;
        for (Turn turn : turns) {
            List<Integer> placeholders = new ArrayList<>();
            Matcher lines = LINE.matcher(turn.question());
            while (placeholders.size() < left && lines.find()) {
                placeholders.add(lines.start(1));
            }
            left -= placeholders.size();
            told.add(turn.placeholders(placeholders));
        }
        return told;
    }

    static List<Turn> read(Path file) throws IOException {
        String text = Utf8.decode(Files.readAllBytes(file), file.toString());
        try {
            return new Fields.Entry("", JsonText.parse(text)).list(EXPECTED, History::turn);
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
