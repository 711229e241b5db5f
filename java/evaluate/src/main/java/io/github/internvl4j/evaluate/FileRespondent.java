package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Answers from a file, for scores without a model: JSON lines with {@code benchmark}, {@code id} and {@code answer}. */
public final class FileRespondent {
    private final Path file;
    private final Map<String, Map<String, String>> answers = new HashMap<>();

    private FileRespondent(Path file) {
        this.file = file;
    }

    /** @throws IOException if it cannot be read; the message names the line and the field */
    public static FileRespondent read(Path file) throws IOException {
        FileRespondent respondent = new FileRespondent(file);
        int number = 0;
        for (String line : Rows.lines(file)) {
            number++;
            try {
                JsonNode one = Rows.JSON.readTree(line);
                respondent
                        .answers
                        .computeIfAbsent(Rows.required(one, "benchmark"), name -> new HashMap<>())
                        .put(Rows.required(one, "id"), Rows.required(one, "answer"));
            } catch (IOException failure) {
                throw new IOException(file + ", line " + number + ": " + failure.getMessage(), failure);
            }
        }
        return respondent;
    }

    /** Its answers to one benchmark. */
    public Respondent to(Benchmark benchmark) {
        Map<String, String> own = answers.getOrDefault(benchmark.name(), Map.of());
        return (asked, samples, listener) -> samples.forEach(sample -> answer(sample, own, listener));
    }

    private void answer(Sample sample, Map<String, String> own, Respondent.Listener listener) {
        String answer = own.get(sample.id());
        if (answer == null) {
            listener.failed(sample, file + " has no answer to it");
            return;
        }
        listener.answered(sample, new Respondent.Given(Python.strip(answer), 0, 0, "", ""));
    }
}
