package io.github.internvl4j.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Bodies that nobody should send: sound ones with other bytes, words or values in them, and noise. The same ones for a seed. */
final class FuzzedBodies {
    private static final String DRAW =
            ", \"max_tokens\": 2, \"temperature\": 0.5, \"top_p\": 0.9, \"top_k\": 5, \"min_p\": 0.1,"
                    + " \"seed\": 1, \"stop\": [\"a\"], \"n\": 1, \"logit_bias\": {\"3\": 1}, \"frequency_penalty\": 0.5,"
                    + " \"presence_penalty\": 0.5, \"repetition_penalty\": 1.1, \"min_tokens\": 0, \"user\": \"u\"";
    private static final String ROUNDS =
            "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": [{\"type\":"
                    + " \"text\", \"text\": \"Hi\"}]}, {\"role\": \"assistant\", \"content\": null}, {\"role\": \"user\", \"content\":"
                    + " \"<image> Hello <|im_end|>\"}], \"max_completion_tokens\": 2, \"logprobs\": true, \"top_logprobs\": 2,"
                    + " \"stream\": true, \"stream_options\": {\"include_usage\": true}, \"image_placement\": \"inline\"}";
    private static final String PIXEL =
            "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    private static final String CHAT = "/v1/chat/completions";
    private static final String[][] SOUND = {
        {CHAT, Fixture.question("Hello", DRAW)},
        {CHAT, ROUNDS},
        {
            CHAT,
            Fixture.question(
                    "What?", PIXEL, ", \"max_tokens\": 2, \"tools\": [], \"response_format\": {\"type\": \"text\"}")
        },
        {
            CHAT,
            Fixture.question(
                    "What?",
                    ", \"max_tokens\": 2, \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a\","
                            + " \"schema\": {\"type\": \"object\", \"properties\": {\"x\": {\"enum\": [1, \"b\"]}, \"y\": {\"type\":"
                            + " \"string\", \"maxLength\": 3}}, \"required\": [\"x\"], \"additionalProperties\": false}}}")
        },
        {
            CHAT,
            Fixture.question(
                    "What?",
                    ", \"max_tokens\": 2, \"tool_choice\": \"required\", \"tools\": [{\"type\": \"function\", \"function\":"
                            + " {\"name\": \"f\", \"parameters\": {\"type\": \"object\", \"properties\": {\"n\": {\"type\":"
                            + " \"integer\"}}}}}]")
        },
        {CHAT, Fixture.videoQuestion("What?", "data:video/mp4;base64,AAAA", ", \"max_tokens\": 2")},
        {"/v1/completions", "{\"prompt\": \"Once\", \"logprobs\": 2, \"echo\": false, \"suffix\": null" + DRAW + "}"},
        {"/v1/completions", "{\"prompt\": [[1, 2, 3]], \"max_tokens\": 2, \"stream\": true}"},
        {"/tokenize", "{\"prompt\": \"Hello\", \"return_token_strs\": true}"},
        {"/tokenize", ROUNDS},
        {"/detokenize", "{\"tokens\": [1, 2, 3, 400]}"},
        {"/v1/chat/completions/render", Fixture.question("What?", PIXEL, "")},
    };
    private static final String[] WORDS = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "1e400",
        "-1",
        "true",
        "\\u0000",
        "\\ud800",
        "99999999999999999999",
        "\"messages\"",
        "\"role\"",
        "\u00e9",
        "{\"a\":[[[[",
        "0.0000001",
        "\n",
        "\\",
        "//",
        "NaN",
        "'",
        "\ufeff",
        "\ud83d\ude00"
    };
    private static final String[] VALUES = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "-1",
        "0.5",
        "1e308",
        "-1e308",
        "1e-320",
        "2147483647",
        "-2147483648",
        "9223372036854775807",
        "18446744073709551616",
        "\"\"",
        "\"a\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"<image>\"",
        "\"user\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[1]",
        "[\"a\"]",
        "{\"a\": 1}",
        "{\"type\": \"text\"}",
        "{\"url\": \"data:,\"}",
        "\"http://127.0.0.1/\"",
        "\"data:image/png;base64,iVBORw0KGgo=\"",
        "{\"role\": \"user\", \"content\": \"a\"}"
    };

    private final long seed;

    FuzzedBodies(long seed) {
        this.seed = seed;
    }

    record Sent(String path, byte[] body) {}

    /** One of them. */
    Sent of(int number) {
        Random random = new Random(seed * 1_000_003 + number);
        String[] sound = SOUND[random.nextInt(SOUND.length)];
        byte[] body =
                switch (random.nextInt(8)) {
                    case 0 -> noise(random);
                    case 1 -> bytes(sound[1], random);
                    case 2, 3 -> words(sound[1], random).getBytes(StandardCharsets.UTF_8);
                    default -> values(sound[1], random).getBytes(StandardCharsets.UTF_8);
                };
        return new Sent(sound[0], body);
    }

    private static byte[] noise(Random random) {
        byte[] noise = new byte[random.nextInt(200)];
        random.nextBytes(noise);
        return noise;
    }

    private static byte[] bytes(String sound, Random random) {
        byte[] body = sound.getBytes(StandardCharsets.UTF_8);
        for (int change = random.nextInt(4); change >= 0; change--) {
            body[random.nextInt(body.length)] = (byte) random.nextInt(256);
        }
        return random.nextInt(4) == 0 ? Arrays.copyOf(body, random.nextInt(body.length)) : body;
    }

    private static String words(String sound, Random random) {
        StringBuilder text = new StringBuilder(sound);
        for (int change = random.nextInt(3); change >= 0; change--) {
            int at = random.nextInt(text.length());
            text.replace(at, Math.min(text.length(), at + random.nextInt(12)), WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }

    /** JSON still, but with other values, or without some. */
    private static String values(String sound, Random random) {
        try {
            JsonNode body = Fixture.JSON.readTree(sound);
            for (int change = random.nextInt(3); change >= 0; change--) {
                List<JsonNode> holders = new ArrayList<>();
                gather(body, holders);
                change(holders.get(random.nextInt(holders.size())), random);
            }
            return body.toString();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void gather(JsonNode node, List<JsonNode> holders) {
        if (node.isContainerNode() && (!node.isEmpty() || holders.isEmpty())) {
            holders.add(node);
        }
        node.forEach(child -> gather(child, holders));
    }

    private static void change(JsonNode holder, Random random) throws JsonProcessingException {
        JsonNode value = Fixture.JSON.readTree(VALUES[random.nextInt(VALUES.length)]);
        boolean remove = random.nextInt(4) == 0;
        if (holder instanceof ArrayNode array) {
            int at = array.isEmpty() ? -1 : random.nextInt(array.size());
            if (at < 0) {
                array.add(value);
            } else if (remove) {
                array.remove(at);
            } else {
                array.set(at, value);
            }
        } else if (holder instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.get(random.nextInt(names.size()));
            if (remove) {
                object.remove(name);
            } else {
                object.set(name, value);
            }
        }
    }
}
