package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Damaged and random bodies: whatever comes, the answer is one, or a typed 4xx. {@code -Dinternvl4j.fuzz=100000} sends so many and
 * says how it went, {@code -Dinternvl4j.fuzz.seed=N} sends others.
 */
class FuzzedBodiesTest {
    private static final int COUNT = Integer.getInteger("internvl4j.fuzz", 3000);
    private static final long SEED = Long.getLong("internvl4j.fuzz.seed", 22);
    private static final int CLIENTS = 4;

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    private final FuzzedBodies bodies = new FuzzedBodies(SEED);
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void whateverComesIsAnsweredOrRefused() throws Exception {
        long start = System.nanoTime();
        String sound = Fixture.question("Hello", ", \"max_tokens\": 8");
        String before = choices(sound);
        AtomicInteger next = new AtomicInteger();
        Map<Integer, Integer> statuses = new TreeMap<>();
        Callable<Void> sender = () -> {
            for (int i = next.getAndIncrement(); i < COUNT; i = next.getAndIncrement()) {
                int status = send(i);
                synchronized (statuses) {
                    statuses.merge(status, 1, Integer::sum);
                }
            }
            return null;
        };
        ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        List<Future<Void>> senders = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            senders.add(threads.submit(sender));
        }
        for (Future<Void> done : senders) {
            done.get();
        }
        threads.shutdown();
        assertEquals(before, choices(sound), "and what is sound is answered as before");
        assertTrue(statuses.get(200) < COUNT / 2, "most are damaged: " + statuses);
        assertTrue(statuses.get(200) > COUNT / 50, "and some are not: " + statuses);
        if (System.getProperty("internvl4j.fuzz") != null) {
            System.out.printf("%d bodies in %.0f s: %s%n", COUNT, (System.nanoTime() - start) / 1e9, statuses);
        }
    }

    private static String choices(String body) throws Exception {
        return fixture.answer("/v1/chat/completions", body).get("choices").toString();
    }

    private int send(int i) throws Exception {
        FuzzedBodies.Sent sent = bodies.of(i);
        HttpRequest request = fixture.request(sent.path())
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofByteArray(sent.body()))
                .build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        int status = response.statusCode();
        String told = response.body();
        String shown = i + ": " + sent.path() + " " + new String(sent.body(), StandardCharsets.UTF_8) + "\n" + status
                + " " + told;
        assertTrue(status == 200 || status >= 400 && status < 500, shown);
        assertFalse(told.contains("server_error") || told.contains("Exception") || told.contains("java."), shown);
        if (status != 200) {
            JsonNode error = Fixture.JSON.readTree(told).path("error");
            assertTrue(error.path("message").isTextual() && error.path("type").isTextual(), shown);
        }
        return status;
    }
}
