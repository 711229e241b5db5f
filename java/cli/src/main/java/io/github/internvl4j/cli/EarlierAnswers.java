package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What an earlier run of a batch has left: whole answers are kept, failures and what was cut off are asked again. */
final class EarlierAnswers {
    private final Path file;
    private final Path input;
    private final List<RequestKey> requests = new ArrayList<>();
    private final Map<JsonNode, Integer> customIds = new HashMap<>();
    private final Map<Integer, AnswerFile.Extent> kept = new HashMap<>();

    private EarlierAnswers(Path file, Path input) {
        this.file = file;
        this.input = input;
    }

    /**
     * Finds the answers to keep, by the requests' numbers.
     *
     * @throws InternVLException if the file holds something else, or answers to other requests
     */
    static Map<Integer, AnswerFile.Extent> of(Path file, Path input) throws IOException {
        EarlierAnswers answers = new EarlierAnswers(file, input);
        answers.readRequests();
        answers.readAnswers();
        return answers.kept;
    }

    private void readRequests() throws IOException {
        try (JsonLines lines = new JsonLines(input)) {
            JsonLines.Line line;
            while ((line = lines.next()) != null) {
                RequestKey key = RequestKey.of(line);
                Integer other = key.customId() == null ? null : customIds.put(key.customId(), requests.size());
                if (other != null) {
                    throw new PromptException(
                            input + ": lines " + requests.get(other).line() + " and " + line.number()
                                    + " have the same custom_id, so --resume cannot tell their answers apart");
                }
                requests.add(key);
            }
        }
    }

    private void readAnswers() throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long offset = 0;
            int number = 0;
            int b;
            do {
                b = in.read();
                if (b >= 0 && b != '\n') {
                    line.write(b);
                    continue;
                }
                number++;
                if (!line.toString(StandardCharsets.UTF_8).isBlank()) {
                    read(line.toByteArray(), offset, number, b < 0);
                }
                offset += line.size() + 1L;
                line.reset();
            } while (b >= 0);
        }
    }

    private void read(byte[] bytes, long offset, int number, boolean last) {
        JsonNode answer;
        try {
            answer = BatchLine.parse(bytes);
        } catch (InternVLException e) {
            if (last && bytes[0] == '{') {
                return; // cut off while it was written
            }
            throw new PromptException(
                    file + " line " + number + " is no answer of a batch: " + Failures.describe(e), e);
        }
        boolean openAi = answer.has("custom_id");
        if (!openAi && !answer.path("index").canConvertToInt()) {
            throw new PromptException(
                    file + " line " + number + " is no answer of a batch: it has neither index nor custom_id");
        }
        boolean whole = openAi
                ? OpenAiForm.isAnswer(answer)
                : answer.has("text") && !answer.path("finish").asText().equals("cancelled");
        if (whole) {
            int index = openAi
                    ? customIds.getOrDefault(answer.get("custom_id"), -1)
                    : answer.get("index").intValue();
            requireSame(answer, index, number, openAi);
            kept.put(index, new AnswerFile.Extent(offset, bytes.length));
        }
    }

    private void requireSame(JsonNode answer, int index, int number, boolean openAi) {
        if (index < 0 || index >= requests.size()) {
            throw other(number, "no request has its " + (openAi ? "custom_id" : "index"));
        }
        RequestKey request = requests.get(index);
        if (!openAi && (request.customId() != null || !Objects.equals(answer.get("id"), request.id()))) {
            throw other(number, "the request in line " + request.line() + " has another id");
        }
        String text = openAi ? OpenAiForm.key(answer) : answer.path("request").textValue();
        if (text != null && !text.equals(request.text())) {
            throw other(number, "the request in line " + request.line() + " has changed since");
        }
    }

    private PromptException other(int number, String why) {
        return new PromptException(file + " line " + number + " answers no request of " + input + ": " + why
                + "; --resume goes on with the same requests, --overwrite begins anew");
    }
}
