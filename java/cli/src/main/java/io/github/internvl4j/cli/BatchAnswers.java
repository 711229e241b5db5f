package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.BatchListener;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes answers in the requests' order, each as soon as those before it are there. */
final class BatchAnswers implements BatchListener, AutoCloseable {
    private final Path file;
    private final Writer writer;
    private final Runnable progress;
    private final Map<Integer, JsonNode> ids = new HashMap<>();
    private final Map<Integer, GenerationConfig> configs = new HashMap<>();
    private final Map<Integer, Map<String, Object>> waiting = new HashMap<>();
    private int written;
    private int failures;

    /** @param progress run after each answer */
    BatchAnswers(Path file, Runnable progress) throws IOException {
        this.file = file;
        this.progress = progress;
        writer = Files.newBufferedWriter(file);
    }

    /** The request's own name, which its answer or failure gives back. */
    void identify(int index, @Nullable JsonNode id) {
        if (id != null) {
            ids.put(index, id);
        }
    }

    /** How the request is answered. */
    void configure(int index, GenerationConfig config) {
        configs.put(index, config);
    }

    /** Whether every request so far was answered. */
    boolean complete() {
        return failures == 0;
    }

    @Override
    public void onReply(int index, Reply reply) {
        put(index, Json.of(reply, configs.getOrDefault(index, GenerationConfig.defaults())));
    }

    @Override
    public void onFailure(int index, InternVLException failure) {
        failures++;
        Map<String, String> error = new LinkedHashMap<>();
        error.put("type", failure.getClass().getSimpleName());
        error.put("message", Failures.describe(failure));
        put(index, Map.of("error", error));
    }

    private void put(int index, Map<String, Object> fields) {
        configs.remove(index);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("index", index);
        JsonNode id = ids.remove(index);
        if (id != null) {
            line.put("id", id);
        }
        line.putAll(fields);
        waiting.put(index, line);
        write();
        progress.run();
    }

    private void write() {
        try {
            Map<String, Object> next;
            while ((next = waiting.remove(written)) != null) {
                writer.write(Json.text(next) + "\n");
                writer.flush();
                written++;
            }
        } catch (IOException e) {
            throw new InternVLException(file + " cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
