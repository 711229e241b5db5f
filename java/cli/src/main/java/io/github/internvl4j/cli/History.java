package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.text.Round;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Earlier rounds as JSON has them: a list of [question, answer]. */
final class History {
    private History() {}

    static List<Round> read(Path file) throws IOException {
        String text = Utf8.decode(Files.readAllBytes(file), file.toString());
        try {
            List<List<String>> pairs = Json.MAPPER.readValue(text, new TypeReference<>() {});
            if (pairs == null) {
                throw new PromptException("it is null");
            }
            return rounds(pairs);
        } catch (JsonProcessingException e) {
            throw wrong(file, Json.describe(e), e);
        } catch (PromptException e) {
            throw wrong(file, Failures.oneLine(e.getMessage()), e);
        }
    }

    private static PromptException wrong(Path file, String why, Exception cause) {
        return new PromptException(file + ": expected a JSON list of [question, answer]: " + why, cause);
    }

    static List<Round> rounds(List<List<String>> pairs) {
        List<Round> rounds = new ArrayList<>();
        for (List<String> pair : pairs) {
            if (pair.size() != 2) {
                throw new PromptException("round " + rounds.size() + " of the history has " + pair.size()
                        + " entries, expected [question, answer]");
            }
            rounds.add(new Round(pair.get(0), pair.get(1)));
        }
        return rounds;
    }
}
