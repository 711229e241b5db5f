package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.github.internvl4j.cli.traffic.Arrivals;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Latencies under load. */
class LoadCommandTest {
    @Test
    void aModelIsLoadedWithRequestsOfBothKinds() throws IOException {
        JsonNode json = run(
                        "load",
                        "--model",
                        D128,
                        "--rate",
                        "40",
                        "--seconds",
                        "0.5",
                        "--prompt-words",
                        "20",
                        "--new-tokens",
                        "8",
                        "--image-share",
                        "0.3",
                        "--good-first-token",
                        "60",
                        "--good-between-tokens",
                        "60",
                        "--json")
                .succeeded()
                .json();
        assertTrue(json.get("requests").asInt() > 5, json.toString());
        assertEquals(0, json.get("failed").asInt());
        assertTrue(json.get("first_token_p50").asDouble() > 0);
        assertTrue(json.get("first_token_p99").asDouble()
                >= json.get("first_token_p50").asDouble());
        assertTrue(json.get("between_tokens_max").asDouble()
                >= json.get("between_tokens_p99").asDouble());
        assertEquals(
                json.get("requests").asInt() / json.get("seconds").asDouble(),
                json.get("good_requests_per_second").asDouble(),
                1e-9,
                "all are good enough");
    }

    @Test
    void anEndpointIsReadAsItStreams() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        int[] asked = new int[1];
        server.createContext("/v1/chat/completions", exchange -> {
            exchange.getRequestBody().readAllBytes();
            boolean whole = asked[0]++ > 0;
            String text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".repeat(3)
                    + (whole ? "data: [DONE]\n\n" : "");
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
            exchange.close();
        });
        server.start();
        try {
            String url = "http://localhost:" + server.getAddress().getPort() + "/v1";
            JsonNode json = run("load", "--url", url, "--rate", "20", "--seconds", "0.5", "--json")
                    .succeeded()
                    .json();
            assertEquals(1, json.get("failed").asInt(), "the one that was cut: " + json);
            assertEquals(
                    3 * json.get("requests").asInt() / json.get("seconds").asDouble(),
                    json.get("tokens_per_second").asDouble(),
                    1e-9);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void clientsAskInTurn() throws IOException {
        String[] load = {"load", "--model", D128, "--rate", "40", "--seconds", "0.5", "--new-tokens", "4", "--json"};
        JsonNode open = run(load).succeeded().json();
        String[] closed = Arrays.copyOf(load, load.length + 2);
        closed[load.length] = "--clients";
        closed[load.length + 1] = "3";
        JsonNode json = run(closed).succeeded().json();
        assertEquals(open.get("requests"), json.get("requests"));
        assertEquals(0, json.get("failed").asInt());
        assertTrue(json.get("tokens_per_second").asDouble() > 0);
    }

    @Test
    void requestsThatFindNobodyFail() throws IOException {
        JsonNode json = run("load", "--url", "http://localhost:1/v1", "--rate", "20", "--seconds", "0.3", "--json")
                .succeeded()
                .json();
        assertEquals(json.get("requests").asInt(), json.get("failed").asInt());
        assertEquals(0, json.get("first_token_p99").asDouble());
    }

    @Test
    void whatCannotBeMeasuredIsWrongUsage() {
        run("load").failed(2, "--model", "--url");
        run("load", "--model", D128, "--rate", "0").failed(2, "--rate is 0.0");
        run("load", "--model", D128, "--clients", "-1").failed(2, "--clients is -1");
        run("load", "--model", D128, "--image-share", "2").failed(2, "--image-share is 2.0");
        run("load", "--model", D128, "--rate", "1000", "--seconds", "1e9").failed(2, "--seconds");
    }

    @Test
    void oneSeedIsOneLoad() {
        var rules = new Arrivals.Rules(100, 1, 10, 10, 0.5, 7);
        List<Arrivals.Arrival> once = Arrivals.of(rules);
        List<Arrivals.Arrival> again = Arrivals.of(rules);
        assertEquals(
                once.stream().map(Arrivals.Arrival::question).toList(),
                again.stream().map(Arrivals.Arrival::question).toList());
        assertEquals(
                once.stream().map(Arrivals.Arrival::at).toList(),
                again.stream().map(Arrivals.Arrival::at).toList());
        assertTrue(once.size() > 60 && once.size() < 150, once.size() + " of about 100");
    }
}
