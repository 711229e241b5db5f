package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** Clients that leave, that are too many, or that read nothing. */
@SuppressWarnings("try") // sockets are there to be closed
class LeavingTest {
    private static final long SECOND = 1_000_000_000L;

    /** Closed as by a client that closes its socket, or by the system after one that was killed. */
    private static Socket connect(Fixture fixture, boolean reset) throws Exception {
        Socket socket = new Socket("127.0.0.1", fixture.server.port());
        if (reset) {
            socket.setSoLinger(true, 0);
        }
        return socket;
    }

    private static Socket ask(Fixture fixture, String body, boolean reset) throws Exception {
        Socket socket = connect(fixture, reset);
        socket.getOutputStream().write(Fixture.wire(body));
        socket.getOutputStream().flush();
        return socket;
    }

    private static boolean idle() {
        return Fixture.MODEL.counts().running() == 0 && Fixture.MODEL.counts().waiting() == 0;
    }

    private static void assertFreed() throws InterruptedException {
        long left = System.nanoTime();
        assertTrue(Fixture.soon(LeavingTest::idle), "freed at all");
        long took = System.nanoTime() - left;
        assertTrue(took < SECOND, "freed within a second, took " + took / 1e9);
    }

    @Test
    void whoLeavesInSilenceIsNoticed() throws Exception {
        try (Fixture fixture = new Fixture()) {
            for (boolean reset : new boolean[] {false, true}) {
                for (String stream : new String[] {"", ", \"stream\": true"}) {
                    try (Socket socket = ask(fixture, Fixture.endless(stream), reset)) {
                        assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() > 0));
                    }
                    assertFreed();
                }
            }
            HttpClient two = HttpClient.newHttpClient();
            two.send(fixture.request("/health").build(), HttpResponse.BodyHandlers.ofString());
            HttpRequest request = fixture.request("/v1/chat/completions")
                    .POST(HttpRequest.BodyPublishers.ofString(Fixture.endless(", \"stream\": true")))
                    .build();
            HttpResponse<InputStream> response = two.send(request, HttpResponse.BodyHandlers.ofInputStream());
            assertEquals(HttpClient.Version.HTTP_2, response.version());
            assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() > 0));
            response.body().close(); // RST_STREAM
            assertFreed();
        }
    }

    @Test
    void whoIsKilledIsNotToldOfOnStandardError() throws Exception {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Handler listener = new Handler() {
            @Override
            public void publish(LogRecord line) {
                if (line.getLevel().intValue() >= Level.INFO.intValue()) {
                    told.add(line.getLoggerName() + ": " + line.getMessage());
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger.getLogger("").addHandler(listener);
        try (Fixture fixture = new Fixture()) {
            byte[] wire = Fixture.wire(Fixture.question("x".repeat(1000), ""));
            for (int length : new int[] {0, 60, 600}) { // nothing, a part of the head, a part of the body
                try (Socket socket = connect(fixture, true)) {
                    socket.getOutputStream().write(wire, 0, length);
                    fixture.get("/health"); // the server has read what came before
                }
                fixture.get("/health");
            }
            try (Socket socket = ask(fixture, Fixture.endless(""), true)) {
                assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() > 0));
            }
            assertFreed();
        } finally {
            Logger.getLogger("").removeHandler(listener);
        }
        assertEquals(List.of(), told);
    }

    @Test
    void manyThatLeaveAtAnyMomentLeaveNothing() throws Exception {
        try (Fixture fixture = new Fixture(Fixture.options().maxBatch(2).queue(100), Limits.Times.defaults())) {
            List<Socket> sockets = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                String stream = i % 2 == 0 ? ", \"stream\": true" : "";
                String body = i % 3 == 0
                        ? Fixture.question("What?", Fixture.image("two.jpg"), stream)
                        : Fixture.endless(stream);
                sockets.add(ask(fixture, body, i % 5 == 0));
                if (i % 4 == 3) {
                    sockets.remove(0).close();
                }
            }
            for (Socket socket : sockets) {
                socket.close();
            }
            assertTrue(Fixture.soon(LeavingTest::idle));
            assertEquals(
                    200,
                    fixture.post("/v1/chat/completions", Fixture.question("Hello", ""))
                            .statusCode());
        }
    }

    @Test
    void whoIsTooManyIsToldToComeBack() throws Exception {
        try (Fixture fixture = new Fixture(Fixture.options().maxBatch(1).queue(1), Limits.Times.defaults())) {
            try (Socket running = ask(fixture, Fixture.endless(""), false)) {
                assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() > 0));
                try (Socket waiting = ask(fixture, Fixture.endless(""), false)) {
                    assertTrue(
                            Fixture.soon(() -> metric(fixture, "internvl4j:num_requests_waiting") == 1), "one waits");
                    HttpResponse<String> refused = fixture.post("/v1/chat/completions", Fixture.question("Hello", ""));
                    assertEquals(429, refused.statusCode());
                    assertEquals(
                            "1", refused.headers().firstValue("Retry-After").orElse(""));
                    assertEquals(200, fixture.get("/health").statusCode());
                }
                assertTrue(
                        Fixture.soon(() -> metric(fixture, "internvl4j:num_requests_waiting") == 0),
                        "who leaves the queue has left it");
            }
            assertFreed();
        }
    }

    static double metric(Fixture fixture, String name) {
        try {
            return fixture.get("/metrics")
                    .body()
                    .lines()
                    .filter(line -> line.startsWith(name + "{"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .findFirst()
                    .orElse(-1);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void waitingHasAnEnd() throws Exception {
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.QUEUE, Duration.ofMillis(200));
        try (Fixture fixture = new Fixture(Fixture.options().maxBatch(1), brief);
                Socket running = ask(fixture, Fixture.endless(""), false)) {
            assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() > 0));
            assertEquals(
                    429,
                    fixture.post("/v1/chat/completions", Fixture.question("Hello", ""))
                            .statusCode());
        }
    }

    @Test
    void whoReadsNothingHoldsNobodyUp() throws Exception {
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.STALLED, Duration.ofMillis(500));
        String chatty = Fixture.endless(", \"stream\": true, \"n\": 8, \"logprobs\": true, \"top_logprobs\": 20");
        try (Fixture fixture = new Fixture(Fixture.options(), brief);
                Socket socket = new Socket()) {
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress("127.0.0.1", fixture.server.port()));
            socket.getOutputStream().write(Fixture.wire(chatty));
            assertEquals(
                    200,
                    fixture.post("/v1/chat/completions", Fixture.question("Hello", ""))
                            .statusCode());
            assertTrue(Fixture.soon(LeavingTest::idle), "it was dropped");
        }
    }

    @Test
    void whatIsBeingAnsweredIsAnsweredBeforeTheEnd() throws Exception {
        try (Fixture fixture = new Fixture(Fixture.options(), Limits.Times.defaults())) {
            String body = Fixture.question("Hello", ", \"min_tokens\": 150, \"max_tokens\": 150, \"stream\": true");
            HttpRequest request = fixture.request("/v1/chat/completions")
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
            List<CompletableFuture<HttpResponse<String>>> streams = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                streams.add(fixture.client.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
            }
            assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() == 4));
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> {
                try {
                    return fixture.server.drain(Duration.ofSeconds(30));
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertTrue(Fixture.soon(() -> {
                try {
                    HttpResponse<String> late = fixture.post("/v1/chat/completions", Fixture.question("Hello", ""));
                    return late.statusCode() == 503
                            && late.headers().firstValue("Retry-After").isPresent();
                } catch (Exception e) {
                    return false;
                }
            }));
            assertEquals(503, fixture.get("/health").statusCode());
            for (CompletableFuture<HttpResponse<String>> stream : streams) {
                assertTrue(stream.get(60, TimeUnit.SECONDS).body().endsWith("data: [DONE]\n\n"));
            }
            assertTrue(drained.get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void connectionsOnWhichNothingIsAskedAreClosed() throws Exception {
        Limits.Times brief = Limits.Times.defaults()
                .with(Limits.Wait.FIRST_REQUEST, Duration.ofMillis(300))
                .with(Limits.Wait.NEXT_REQUEST, Duration.ofMillis(300))
                .with(Limits.Wait.BODY, Duration.ofMillis(600));
        try (Fixture fixture = new Fixture(Fixture.options(), brief)) {
            try (Socket silent = new Socket("127.0.0.1", fixture.server.port())) {
                silent.setSoTimeout(30_000);
                silent.getOutputStream()
                        .write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                String answer = new String(silent.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                assertTrue(answer.startsWith("HTTP/1.1 200"), "and then its end");
            }
            try (Socket slow = new Socket("127.0.0.1", fixture.server.port())) {
                slow.setSoTimeout(30_000);
                slow.getOutputStream().write(Arrays.copyOf(Fixture.wire(Fixture.question("Hello", "")), 150));
                assertEquals(
                        "HTTP/1.1 408", new String(slow.getInputStream().readNBytes(12), StandardCharsets.US_ASCII));
            }
            for (HttpClient.Version version : HttpClient.Version.values()) {
                HttpClient client = HttpClient.newBuilder().version(version).build();
                String body = Fixture.question("Hello", ", \"min_tokens\": 60, \"max_tokens\": 60");
                HttpRequest request = fixture.request("/v1/chat/completions")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                for (int i = 0; i < 2; i++) {
                    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                    assertEquals(200, answer.statusCode());
                    assertEquals(version, answer.version());
                }
            }
        }
    }

    /** Each byte of a head would begin a limit on idleness anew; empty lines before it are none. */
    @Test
    void headsThatComeByteByByteAreNotWaitedFor() throws Exception {
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.FIRST_REQUEST, Duration.ofSeconds(1));
        String[] heads = {
            "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(10_000), "\r\n".repeat(5_000), ""
        };
        try (Fixture fixture = new Fixture(Fixture.options(), brief)) {
            for (String head : heads) {
                try (Socket slow = new Socket("127.0.0.1", fixture.server.port())) {
                    slow.setSoTimeout(10);
                    assertTrue(Fixture.closes(slow, head.getBytes(StandardCharsets.US_ASCII)), head);
                }
            }
            try (Socket whole =
                    new Socket("127.0.0.1", fixture.server.port())) { // in two parts, and then an answer for longer
                whole.getOutputStream().write("\r\nPOST /v1/chat/completions HT".getBytes(StandardCharsets.US_ASCII));
                Thread.sleep(50);
                String body = Fixture.question("Hello", ", \"min_tokens\": 150, \"max_tokens\": 150");
                whole.getOutputStream()
                        .write(("TP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                                .getBytes(StandardCharsets.US_ASCII));
                byte[] start = whole.getInputStream().readNBytes(12);
                assertEquals("HTTP/1.1 200", new String(start, StandardCharsets.US_ASCII));
            }
        }
    }

    @Test
    void aServerThatLoadsSaysSo() throws Exception {
        Server loading = Server.start(ServerOptions.defaults().port(0));
        try {
            for (String path : new String[] {"/health", "/v1/models", "/metrics"}) {
                HttpResponse<String> told = HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(loading.address().resolve(path))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
                assertEquals(503, told.statusCode());
                assertTrue(told.headers().firstValue("Retry-After").isPresent());
            }
        } finally {
            loading.close();
        }
    }
}
