package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A judge behind an endpoint of OpenAI's form, ours included. What it said is kept, so that it is not asked twice. */
public final class EndpointJudge implements Judge {
    private static final int TRIES = 5;
    private static final int MAX_TOKENS = 256;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** Used where none is given; the original's has five examples, which are MathVista's. */
    private static final String OWN_PROMPT = "Please read the question and the model response below, and give the"
            + " answer that the response comes to, and nothing else: the option's letter, the number, or the list.";

    private final URI endpoint;
    private final String model;
    private final @Nullable String key;
    private final @Nullable String examples;
    private final Path memory;
    private final Map<String, String> known = new ConcurrentHashMap<>();
    private final HttpClient client = HttpClient.newHttpClient();

    /**
     * Does not ask yet.
     *
     * @param base up to {@code /v1}
     * @param key null if it needs none
     * @param examples the text before the question, as MathVista's {@code evaluation/prompts/ext_ans.py} has it; null for a
     *     plain request
     * @param memory a file for what it said
     * @throws IOException if the file cannot be read
     */
    public EndpointJudge(URI base, String model, @Nullable String key, @Nullable String examples, Path memory)
            throws IOException {
        String path = base.toString();
        endpoint = URI.create(Python.stripEnd(path, '/') + "/chat/completions");
        this.model = model;
        this.key = key;
        this.examples = examples;
        this.memory = memory;
        if (Files.exists(memory)) {
            for (String line : Rows.lines(memory)) {
                remember(line);
            }
        }
    }

    /** A line that was being written when the program ended is not one. */
    private void remember(String line) {
        try {
            JsonNode said = Rows.JSON.readTree(line);
            known.put(said.path("asked").asText(), said.path("said").asText());
        } catch (JsonProcessingException torn) {
            known.remove(""); // asked again
        }
    }

    @Override
    public String name() {
        return model + (examples == null ? " with a prompt of our own, not MathVista's: an estimate" : "");
    }

    @Override
    public String extract(String query, String response) throws IOException, InterruptedException {
        String before = examples == null ? OWN_PROMPT : Python.strip(examples);
        String prompt = before + "\n\n" + query + "\n\n" + response + "\n\nExtracted answer: ";
        String asked = Digest.of(model + "\n" + prompt);
        String said = known.get(asked);
        if (said == null) {
            said = ask(prompt);
            keep(asked, said);
        }
        return said;
    }

    private synchronized void keep(String asked, String said) throws IOException {
        known.put(asked, said);
        ObjectNode line = ResultFiles.object().put("asked", asked).put("said", said);
        Files.writeString(
                memory, "\n" + PythonJson.line(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private String ask(String prompt) throws IOException, InterruptedException {
        IOException last = new IOException("was not asked");
        for (int attempt = 0; attempt < TRIES; attempt++) {
            try {
                return said(client.send(request(prompt), HttpResponse.BodyHandlers.ofString()));
            } catch (IOException failure) {
                last = failure;
                Thread.sleep(200L << attempt);
            }
        }
        throw new IOException("the judge at " + endpoint + " did not answer in " + TRIES + " tries: " + last, last);
    }

    private HttpRequest request(String prompt) {
        ObjectNode body = ResultFiles.object().put("model", model);
        body.put("temperature", 0).put("max_tokens", MAX_TOKENS);
        body.putArray("messages").addObject().put("role", "user").put("content", prompt);
        HttpRequest.Builder request = HttpRequest.newBuilder(endpoint)
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        return request.build();
    }

    private static String said(HttpResponse<String> response) throws IOException {
        if (response.statusCode() != 200) {
            String body = response.body();
            throw new IOException(
                    "status " + response.statusCode() + ": " + body.substring(0, Math.min(200, body.length())));
        }
        JsonNode content = Rows.JSON.readTree(response.body()).at("/choices/0/message/content");
        if (!content.isTextual()) {
            throw new IOException("an answer without choices[0].message.content");
        }
        return content.textValue();
    }
}
