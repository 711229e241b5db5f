package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/**
 * What {@code llama-bench -r 1 -o json} says of its only test.
 *
 * @param build commit and number
 * @param seconds of the prompt, or of one decoded token
 */
record LlamaBenchOutput(String build, double seconds) {
    static LlamaBenchOutput parse(String json) throws IOException {
        JsonNode tests = new ObjectMapper().readTree(json);
        if (!tests.isArray() || tests.size() != 1) {
            throw new IOException("llama-bench wrote " + tests + ", expected an array of one test");
        }
        JsonNode test = tests.get(0);
        JsonNode samples = field(test, "samples_ns");
        if (samples.size() != 1 || samples.get(0).asLong() <= 0) {
            throw new IOException("llama-bench's samples_ns is " + samples + ", expected one positive number");
        }
        int generated = field(test, "n_gen").asInt();
        return new LlamaBenchOutput(
                "build %s (%s)"
                        .formatted(
                                field(test, "build_number").asText(),
                                field(test, "build_commit").asText()),
                samples.get(0).asLong() / 1e9 / Math.max(1, generated));
    }

    private static JsonNode field(JsonNode test, String name) throws IOException {
        JsonNode value = test.get(name);
        if (value == null) {
            throw new IOException("llama-bench's test has no field " + name + ": " + test);
        }
        return value;
    }
}
