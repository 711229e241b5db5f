package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bodies of people who mean no good, or do not know better: each is told what is wrong, and the server stays as it was. */
class HostileTest {
    private static final String CHAT = "/v1/chat/completions";

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    private static void refused(String body, int status, String param, String words) throws Exception {
        HttpResponse<String> response = fixture.post(CHAT, body);
        String told = response.body();
        assertEquals(status, response.statusCode(), told);
        JsonNode error = Fixture.JSON.readTree(told).get("error");
        assertEquals(param, error.get("param").asText(), told);
        assertTrue(error.get("message").asText().contains(words), told);
        assertTrue(error.hasNonNull("type") && error.has("code"), told);
    }

    @Test
    void whatIsWrongIsNamed() throws Exception {
        String[][] wrong = {
            {", \"temperature\": \"hot\"", "temperature", "expected a number"},
            {", \"temperature\": 1e999", "temperature", "64 bits"},
            {", \"temperature\": -1", "temperature", "finite"},
            {", \"top_p\": 0", "top_p", "(0, 1]"},
            {", \"max_tokens\": 99999999999999999999", "max_tokens", "32 bits"},
            {", \"max_tokens\": 0", "max_tokens", "at least 1"},
            {", \"n\": 9", "n", "1 to 8"},
            {", \"n\": 0", "n", "1 to 8"},
            {", \"n\": 2.5", "n", "an integer"},
            {", \"stop\": [" + "\"a\",".repeat(16) + "\"b\"]", "stop", "at most 16"},
            {", \"stop\": [\"\"]", "stop", "no empty string"},
            {", \"logprobs\": true, \"top_logprobs\": 21", "top_logprobs", "0 to 20"},
            {", \"top_logprobs\": 2", "top_logprobs", "logprobs to be true"},
            {", \"logit_bias\": {\"x\": 1}", "logit_bias.x", "id of a token"},
            {", \"stream\": \"yes\"", "stream", "true or false"},
            {", \"tools\": [{}]", "tools[0].type", "missing"},
            {", \"tool_choice\": \"required\"", "tool_choice", "there are no tools"},
            {", \"tool_choice\": {\"function\": {\"name\": \"a\"}}", "tool_choice", "one of the tools"},
            {", \"response_format\": {\"type\": \"xml\"}", "response_format.type", "json_object"},
            {", \"response_format\": {\"type\": \"json_schema\"}", "response_format.json_schema", "missing"},
            {
                ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"schema\": {\"not\": {}}}}",
                "response_format.json_schema.schema/not",
                "not supported"
            },
            {", \"response_format\": {\"type\": \"json_object\"}, \"min_tokens\": 2", "min_tokens", "beside JSON"},
            {
                ", \"tool_choice\": \"required\", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"a\","
                        + " \"parameters\": {\"properties\": {\"x\": {\"multipleOf\": 2}}}}}]",
                "tools[0].function.parameters/properties/x/multipleOf",
                "not supported"
            },
            {", \"modalities\": [\"text\", \"audio\"]", "modalities", "text"},
            {", \"image_placement\": \"last\"", "image_placement", "inline"},
            {", \"messages\": []", "messages", "last message"},
        };
        for (String[] one : wrong) {
            String body = one[0].contains("messages")
                    ? "{\"model\": \"demo\"" + one[0] + "}"
                    : Fixture.question("Hello", one[0]);
            refused(body, 400, one[1], one[2]);
        }
        refused("{\"model\": \"demo\"}", 400, "messages", "missing");
        refused("[]", 400, "null", "an object");
        refused("{\"model\": \"other\", \"messages\": []}", 404, "model", "demo");
        refused("{\"messages\": [{\"role\": \"critic\", \"content\": \"x\"}]}", 400, "messages[0].role", "\"user\"");
        refused(Fixture.question("word ".repeat(5000), ""), 400, "messages", "context holds");
    }

    @Test
    void imagesAreLookedAtBeforeTheyAreDecoded() throws Exception {
        String at = "messages[0].content[0]";
        for (String url : List.of(
                "http://127.0.0.1/a.png",
                "https://example.com/a.png",
                "file:///etc/passwd",
                "/etc/passwd",
                "gopher://a",
                "//host/a",
                "")) {
            refused(Fixture.question("What?", url, ""), 400, at, "not fetched");
        }
        refused(Fixture.question("What?", "data:image/png;base64,!!!", ""), 400, at, "base64");
        refused(Fixture.question("What?", "data:image/png;base64,AAAA", ""), 400, at, "");
        refused(Fixture.question("What?", "data:image/png", ""), 400, at, "comma");
        refused(Fixture.question("What?", "data:image/png;base64," + bomb(60_000, 60_000), ""), 400, at, "pixels");
        refused(Fixture.question("What?", "data:image/png;base64," + bomb(7000, 7000), ""), 400, at, "pixels");
        String part = "{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:,\"}},";
        refused(
                "{\"messages\": [{\"role\": \"user\", \"content\": [" + part.repeat(16)
                        + "{\"type\": \"text\", \"text\": \"x\"}]}]}",
                400,
                "messages",
                "15 images");
        for (String[] video : new String[][] {
            {"data:,", "data:, cannot be opened as a video"},
            {"data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA cannot be opened as a video"},
            {"http://localhost/film.mp4", "not fetched"},
            {"/etc/passwd", "not fetched"}
        }) {
            refused(Fixture.videoQuestion("What?", video[0], ""), 400, at, video[1]);
        }
    }

    /** A PNG whose header claims what would fill the memory, and whose few bytes unpack to a part of it. */
    private static String bomb(int width, int height) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream png = new DataOutputStream(bytes);
        png.writeLong(0x89504e470d0a1a0aL);
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        DataOutputStream fields = new DataOutputStream(header);
        fields.writeInt(width);
        fields.writeInt(height);
        fields.write(new byte[] {8, 2, 0, 0, 0});
        chunk(png, "IHDR", header.toByteArray());
        Deflater deflater = new Deflater(9);
        deflater.setInput(new byte[10_000_000]);
        deflater.finish();
        byte[] packed = new byte[100_000];
        int length = deflater.deflate(packed);
        deflater.end();
        chunk(png, "IDAT", java.util.Arrays.copyOf(packed, length));
        chunk(png, "IEND", new byte[0]);
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static void chunk(DataOutputStream png, String type, byte[] data) throws IOException {
        CRC32 sum = new CRC32();
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        sum.update(name);
        sum.update(data);
        png.writeInt(data.length);
        png.write(name);
        png.write(data);
        png.writeInt((int) sum.getValue());
    }

    @Test
    void aBodyThatIsTooLargeIsNotRead() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", fixture.server.port())) {
            socket.getOutputStream()
                    .write(("POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] start = socket.getInputStream().readNBytes(12);
            assertEquals("HTTP/1.1 413", new String(start, StandardCharsets.US_ASCII));
        }
        try (Socket socket = new Socket("127.0.0.1", fixture.server.port())) { // whose length nobody announces
            socket.getOutputStream()
                    .write(("POST " + CHAT
                                    + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2010000\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(new byte[0x2010000]);
            byte[] start = socket.getInputStream().readNBytes(12);
            assertEquals("HTTP/1.1 413", new String(start, StandardCharsets.US_ASCII));
        }
    }
}
