package io.github.internvl4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/** Clients that ask questions whose answers are known, and compare them bit for bit, and clients that leave. */
final class Crowd implements AutoCloseable {
    private static final String PATH = "/v1/chat/completions";
    private static final int QUESTIONS = 24;

    private final Server server;
    private final List<Known> questions;
    /** What the JDK's client says, and sends nothing, where its one connection of HTTP/2 has as many as the server lets it. */
    private static final String NO_STREAM = "too many concurrent streams";

    private static final int STREAMS = 100;

    private final List<HttpClient> clients = clients();
    /** Their own: a connection of HTTP/2 on which hundreds of requests are given up is closed by the server. */
    private final List<HttpClient> leaving = clients();

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    private final Random random = new Random(23);
    private final AtomicInteger asking = new AtomicInteger();
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger left = new AtomicInteger();
    private final AtomicInteger unsent = new AtomicInteger();
    private final List<String> faults = new CopyOnWriteArrayList<>();
    /** Counts of refusals that took so many milliseconds. Not a list of them, which would look like a leak of the server's. */
    private final AtomicIntegerArray refusals = new AtomicIntegerArray(10_000);

    /** A question and the library's answer to it alone. */
    record Known(String body, Reply alone) {}

    Crowd(Server server, List<Known> questions) {
        this.server = server;
        this.questions = questions;
    }

    /** Texts and pictures, greedy and drawn, plain and streamed, of several lengths. */
    static List<Known> questions(InternVL model) {
        List<Known> all = new ArrayList<>();
        for (int i = 0; i < QUESTIONS; i++) {
            String text = "What is number " + i + "?" + " Say more.".repeat(i % 5);
            int most = 4 + 3 * i % 40;
            String fields = ", \"logprobs\": true, \"temperature\": " + i % 3 + ", \"seed\": " + i
                    + ", \"max_tokens\": " + most + (i % 2 == 0 ? "" : ", \"stream\": true");
            GenerationConfig config =
                    GenerationConfig.greedy(most).temperature(i % 3).seed(i);
            Prompt prompt = Prompt.of(text).placeholders(List.of()).specialTokens(SpecialTokens.LITERAL);
            String picture = i % 8 < 4 ? "two.jpg" : "three.jpg";
            boolean shows = i % 4 == 0;
            if (shows) {
                Image image = Image.read(Fixture.DEMO.resolve("samples").resolve(picture));
                prompt = Prompt.of(text, image).specialTokens(SpecialTokens.LITERAL);
            }
            all.add(new Known(
                    shows ? Fixture.question(text, Fixture.image(picture), fields) : Fixture.question(text, fields),
                    model.generate(prompt, config)));
        }
        return all;
    }

    private static List<HttpClient> clients() {
        return Arrays.stream(HttpClient.Version.values())
                .map(version -> HttpClient.newBuilder().version(version).build())
                .toList();
    }

    private synchronized int random(int bound) {
        return random.nextInt(bound);
    }

    private HttpRequest request(String body) {
        return HttpRequest.newBuilder(server.address().resolve(PATH))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    /** Asks one of the questions. */
    CompletableFuture<Void> ask() {
        Known question = questions.get(random(questions.size()));
        long began = System.nanoTime();
        asking.incrementAndGet();
        return clients.get(random(clients.size()))
                .sendAsync(request(question.body), HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> {
                    if (failure != null
                            && asking.get() >= STREAMS
                            && failure.toString().contains(NO_STREAM)) {
                        unsent.incrementAndGet();
                    } else if (failure != null) {
                        faults.add(failure.toString());
                    } else if (response.statusCode() == 429) {
                        refused.incrementAndGet();
                        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                        refusals.incrementAndGet((int) Math.min(took, refusals.length() - 1));
                        expect(response.headers().firstValue("Retry-After").isPresent(), "429 without Retry-After");
                    } else {
                        answered.incrementAndGet();
                        compare(question, response);
                    }
                    asking.decrementAndGet();
                    return null;
                });
    }

    private void compare(Known question, HttpResponse<String> response) {
        try {
            StringBuilder text = new StringBuilder();
            List<Float> logprobs = new ArrayList<>();
            if (question.body.contains("\"stream\"")) {
                List<String> events = Fixture.events(response.body());
                expect(events.get(events.size() - 1).equals("data: [DONE]"), response.body());
                for (String event : events.subList(0, events.size() - 1)) {
                    add(Fixture.JSON.readTree(event.substring("data: ".length())), "delta", text, logprobs);
                }
            } else {
                add(Fixture.JSON.readTree(response.body()), "message", text, logprobs);
            }
            expect(
                    text.toString().equals(question.alone.text())
                            && logprobs.equals(question.alone.logprobs().stream()
                                    .map(token -> token.logprob())
                                    .toList()),
                    question.body + " was answered " + response.body());
        } catch (IOException | RuntimeException odd) {
            faults.add(odd + ": " + response.statusCode() + " " + response.body());
        }
    }

    private static void add(JsonNode answer, String said, StringBuilder text, List<Float> logprobs) {
        text.append(answer.at("/choices/0/" + said + "/content").asText(""));
        answer.at("/choices/0/logprobs/content")
                .forEach(token -> logprobs.add(token.get("logprob").floatValue()));
    }

    private void expect(boolean holds, String fault) {
        if (!holds) {
            faults.add(fault);
        }
    }

    /** Asks something and leaves, in the queue, in the middle of an answer, or of its own body. */
    void askAndLeave() {
        left.incrementAndGet();
        String body = random(2) == 0
                ? questions.get(random(questions.size())).body
                : Fixture.question("Number " + random(1 << 30), ", \"min_tokens\": 300, \"max_tokens\": 300");
        int after = random(1000);
        if (random(3) == 0) {
            CompletableFuture<?> answer =
                    leaving.get(random(leaving.size())).sendAsync(request(body), HttpResponse.BodyHandlers.ofString());
            clock.schedule(() -> answer.cancel(true), after, TimeUnit.MILLISECONDS);
            return;
        }
        try {
            Socket socket = new Socket("127.0.0.1", server.port());
            socket.setSoLinger(random(2) == 0, 0); // a reset, or an end
            byte[] wire = Fixture.wire(body);
            socket.getOutputStream().write(wire, 0, random(5) == 0 ? random(wire.length) : wire.length);
            clock.schedule(() -> close(socket), after, TimeUnit.MILLISECONDS);
        } catch (IOException odd) {
            faults.add("cannot ask: " + odd);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException gone) {
            // which is what was wanted
        }
    }

    /** Begins to count anew. */
    void forget() {
        answered.set(0);
    }

    boolean awaitEnd() throws InterruptedException {
        return Fixture.soon(() -> asking.get() == 0);
    }

    int answered() {
        return answered.get();
    }

    int refused() {
        return refused.get();
    }

    List<String> faults() {
        return faults;
    }

    @Override
    public String toString() {
        int milliseconds = 0;
        for (long faster = 0; milliseconds < refusals.length() - 1; milliseconds++) {
            faster += refusals.get(milliseconds);
            if (faster * 100 >= refused.get() * 99L) {
                break;
            }
        }
        return String.format(
                Locale.ROOT,
                "%d answered, %d refused (99%% of them within %d ms), %d left, %d not sent, %d faults",
                answered.get(),
                refused.get(),
                milliseconds + 1,
                left.get(),
                unsent.get(),
                faults.size());
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
