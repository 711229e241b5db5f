package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** MathVista with a judge, which here says 1.45 to everything, the second time it is asked. */
class EndpointJudgeTest {
    private final List<JsonNode> asked = new CopyOnWriteArrayList<>();

    @TempDir
    Path folder;

    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            asked.add(Vectors.JSON.readTree(exchange.getRequestBody()));
            byte[] answer = "{\"choices\": [{\"message\": {\"content\": \"1.45\"}}]}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(asked.size() == 1 ? 503 : 200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private Judge judge() throws IOException {
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1/");
        return new EndpointJudge(base, "judge", "key", "Examples.\n", folder.resolve("judge.jsonl"));
    }

    @Test
    void asksOnceAndInTheOriginalsForm() throws IOException, InterruptedException {
        assertEquals("1.45", judge().extract("Query?", "It is 1.45 m."));
        assertEquals("1.45", judge().extract("Query?", "It is 1.45 m."));
        assertEquals(2, asked.size(), "once more after status 503, and then never");
        JsonNode last = asked.get(1);
        assertEquals(
                "Examples.\n\nQuery?\n\nIt is 1.45 m.\n\nExtracted answer: ",
                last.at("/messages/0/content").asText());
        assertEquals(0, last.get("temperature").asInt(-1));
        assertEquals(256, last.get("max_tokens").asInt());
    }

    @Test
    void decidesWhatTheRulesDoNot() throws IOException {
        DataFolder data = DataFolder.of(Vectors.folder().resolve("datasets"));
        Benchmark benchmark = Benchmarks.judgedBy(judge(), new MathVista("testmini"));
        List<Answered> answers = new ArrayList<>();
        for (Sample sample : benchmark.samples(data).samples()) {
            boolean real = sample.field("answer_type").equals("float");
            answers.add(new Answered(sample, real ? "It is so many." : sample.gold()));
        }
        Outcome outcome = benchmark.outcome(answers, data, "model");
        assertTrue(
                outcome.notes().get(0).contains("were extracted by judge"),
                outcome.notes().toString());
        long right = answers.stream()
                .filter(one -> one.sample().gold().equals("1.45"))
                .count();
        assertTrue(right > 0
                && outcome.figures().get(1).value() > outcome.figures().get(0).value());
    }

    @Test
    void aJudgeThatIsNotThereIsNamed() throws IOException {
        server.stop(0);
        Judge judge = judge();
        String message = assertThrows(IOException.class, () -> judge.extract("Query?", "Response."))
                .getMessage();
        assertTrue(message != null && message.contains("did not answer in 5 tries"), message);
    }
}
