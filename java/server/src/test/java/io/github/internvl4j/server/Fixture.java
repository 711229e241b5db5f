package io.github.internvl4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A server over the demo checkpoint, and what talks to it; as a registered extension it is there for a class of tests. One model serves
 * all tests of the process.
 */
final class Fixture implements AutoCloseable, AfterAllCallback {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Path DEMO = Path.of(System.getProperty("internvl4j.testData", "../../test-data"), "demo");
    static final InternVL MODEL =
            InternVL.load(DEMO, LoadOptions.defaults().precision(Precision.F32).threads(2));
    static final String NAME = "demo";

    final Server server;
    final HttpClient client = HttpClient.newHttpClient();

    Fixture() {
        this(options(), Limits.Times.defaults());
    }

    Fixture(ServerOptions options, Limits.Times times) {
        this(options, times, RemoteImages.World.real());
    }

    Fixture(ServerOptions options, Limits.Times times, RemoteImages.World world) {
        server = Server.start(options, times, world);
        server.serve(NAME, MODEL);
    }

    static ServerOptions options() {
        return ServerOptions.defaults().port(0);
    }

    static String image(String name) {
        try {
            byte[] bytes = Files.readAllBytes(DEMO.resolve("samples").resolve(name));
            return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The body of a question, with more fields behind a comma. */
    static String question(String text, String more) {
        return "{\"model\": \"demo\", \"messages\": [{\"role\": \"user\", \"content\": \"" + text + "\"}]" + more + "}";
    }

    /** The body of a question about an image. */
    static String question(String text, String image, String more) {
        return "{\"model\": \"demo\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \""
                + image + "\", \"detail\": \"low\"}}, {\"type\": \"text\", \"text\": \"" + text + "\"}]}]" + more + "}";
    }

    /** The body of a question about a video. */
    static String videoQuestion(String text, String video, String more) {
        return question(text, video, more).replace("image_url", "video_url");
    }

    /** An answer that does not end by itself for a while. */
    static String endless(String more) {
        return question("Hello", ", \"min_tokens\": 3000, \"max_tokens\": 3000" + more);
    }

    URI uri(String path) {
        return server.address().resolve(path);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path));
    }

    HttpResponse<String> post(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
        return client.send(
                headers.length == 0 ? request.build() : request.headers(headers).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        return client.send(
                headers.length == 0 ? request.build() : request.headers(headers).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    JsonNode answer(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** The events of a stream: their data, pings left out. */
    static List<String> events(String body) {
        List<String> all = new ArrayList<>();
        for (String event : body.split("\n\n")) {
            if (!event.startsWith(": ping")) {
                all.add(event);
            }
        }
        return all;
    }

    /** Waits until something is so, for a while. */
    static boolean soon(BooleanSupplier holds) throws InterruptedException {
        for (long end = System.nanoTime() + 20_000_000_000L; System.nanoTime() < end; Thread.sleep(5)) {
            if (holds.getAsBoolean()) {
                return true;
            }
        }
        return false;
    }

    /** A request as it goes over the wire. */
    static byte[] wire(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        String head =
                "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                        + bytes.length + "\r\n\r\n";
        byte[] all = new byte[head.length() + bytes.length];
        System.arraycopy(head.getBytes(StandardCharsets.US_ASCII), 0, all, 0, head.length());
        System.arraycopy(bytes, 0, all, head.length(), bytes.length);
        return all;
    }

    /** Sends bytes one by one, and tells whether the other side ends the connection meanwhile, for which it waits a while. */
    static boolean closes(Socket socket, byte[] slowly) throws InterruptedException {
        for (int i = 0; i < 500; i++) {
            try {
                if (i < slowly.length) {
                    socket.getOutputStream().write(slowly[i]);
                }
                if (socket.getInputStream().read() < 0) {
                    return true;
                }
            } catch (SocketTimeoutException silent) {
                Thread.sleep(1);
            } catch (IOException reset) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void afterAll(ExtensionContext tests) {
        close();
    }

    @Override
    public void close() {
        server.close();
    }
}
