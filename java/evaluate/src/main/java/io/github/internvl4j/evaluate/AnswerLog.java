package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The answers to one benchmark, a line each, written at once: nothing is asked twice, whenever the program ends. */
final class AnswerLog {
    private final Path file;
    private final String fingerprint;
    private final Map<String, JsonNode> lines = new HashMap<>();

    private AnswerLog(Path file, String fingerprint) {
        this.file = file;
        this.fingerprint = fingerprint;
    }

    /**
     * Reads what there is. A line that was being written when the program ended is dropped.
     *
     * @throws IOException if a line is of another run
     */
    static AnswerLog open(Path folder, Benchmark benchmark, RunFacts facts) throws IOException {
        Path file = file(folder, benchmark);
        AnswerLog log = new AnswerLog(file, facts.fingerprint());
        Files.createDirectories(file.getParent());
        if (Files.exists(file)) {
            dropTornLine(file);
            log.read(file);
        }
        return log;
    }

    private static Path file(Path folder, Benchmark benchmark) {
        return folder.resolve("answers").resolve(benchmark.name() + ".jsonl");
    }

    private static void dropTornLine(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        try (RandomAccessFile writable = new RandomAccessFile(file.toFile(), "rw")) {
            writable.setLength(end);
        }
    }

    private void read(Path from) throws IOException {
        int number = 0;
        for (String line : Rows.lines(from)) {
            number++;
            JsonNode one = parse(line, from, number);
            if (!one.path("run").asText().equals(fingerprint)) {
                throw new IOException(from + ", line " + number + ": is an answer of another run, "
                        + one.path("run").asText() + " instead of " + fingerprint
                        + "; answers are not mixed, so name another folder with --out");
            }
            lines.put(one.path("id").asText(), one);
        }
    }

    private static JsonNode parse(String line, Path from, int number) throws IOException {
        try {
            return Rows.JSON.readTree(line);
        } catch (JsonProcessingException failure) {
            throw new IOException(from + ", line " + number + ": is no JSON: " + failure.getOriginalMessage(), failure);
        }
    }

    /** Takes the answers of another folder's log too. */
    void addFrom(Path folder, Benchmark benchmark) throws IOException {
        Path other = file(folder, benchmark);
        if (Files.exists(other)) {
            read(other);
        }
    }

    /**
     * Whether it is answered.
     *
     * @throws IOException if the question was another one
     */
    boolean has(Sample sample) throws IOException {
        JsonNode line = lines.get(sample.id());
        if (line != null && !line.path("question").asText().equals(sample.question())) {
            throw new IOException(file + ": question " + sample.id() + " was another one: the data set has changed;"
                    + " name another folder with --out");
        }
        return line != null;
    }

    /** The answers that there are, in the samples' order. */
    List<Answered> answers(List<Sample> samples) throws IOException {
        List<Answered> answers = new ArrayList<>();
        for (Sample sample : samples) {
            if (has(sample)) {
                answers.add(new Answered(sample, line(sample).path("answer").asText()));
            }
        }
        return answers;
    }

    private JsonNode line(Sample sample) {
        return lines.getOrDefault(sample.id(), Rows.JSON.missingNode());
    }

    /** Appends a line, which then is in the file. */
    void add(Sample sample, Respondent.Given given, Verdict verdict) throws IOException {
        ObjectNode line = ResultFiles.object();
        line.put("id", sample.id()).put("question", sample.question());
        line.put("answer", given.answer()).put("processed", verdict.processed());
        line.put("gold", sample.gold()).put("score", verdict.score());
        line.put("prompt_tokens", given.promptTokens()).put("tokens", given.tokens());
        line.put("finish", given.finish()).put("picture", given.picture()).put("run", fingerprint);
        lines.put(sample.id(), line);
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Puts the lines into the data set's order, so that any batch size and any shards leave the same file. */
    void sort(List<Sample> samples) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Sample sample : samples) {
            if (lines.containsKey(sample.id())) {
                text.append(line(sample)).append('\n');
            }
        }
        Path sorted = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(sorted, text);
        Files.move(sorted, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
