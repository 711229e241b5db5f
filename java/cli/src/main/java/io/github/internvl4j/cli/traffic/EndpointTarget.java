package io.github.internvl4j.cli.traffic;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.image.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** An endpoint that speaks OpenAI's chat completions, streamed: each event with content counts as a token. */
public final class EndpointTarget implements Target {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final URI address;
    private final String model;
    private final @Nullable String key;

    /**
     * @param base before {@code /chat/completions}: {@code http://localhost:8080/v1}
     * @param key the API key, or null for none
     */
    public EndpointTarget(URI base, String model, @Nullable String key) {
        String text = base.toString();
        this.address = URI.create((text.endsWith("/") ? text : text + "/") + "chat/completions");
        this.model = model;
        this.key = key;
    }

    @Override
    public CompletableFuture<?> ask(Arrivals.Arrival arrival, Runnable token) {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body(arrival)));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofLines())
                .thenAcceptAsync(response -> read(response, token));
    }

    private String body(Arrivals.Arrival arrival) {
        List<Object> content = new ArrayList<>();
        if (arrival.image() != null) {
            content.add(Map.of("type", "image_url", "image_url", Map.of("url", dataUrl(arrival.image()))));
        }
        content.add(Map.of("type", "text", "text", arrival.question()));
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("messages", List.of(Map.of("role", "user", "content", content)));
        body.put("max_tokens", arrival.newTokens());
        body.put("temperature", 0);
        body.put("stream", true);
        try {
            return JSON.writeValueAsString(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String dataUrl(Image image) {
        byte[] rgb = image.rgb();
        BufferedImage drawn = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < image.width() * image.height(); i++) {
            int colour = (rgb[3 * i] & 0xff) << 16 | (rgb[3 * i + 1] & 0xff) << 8 | rgb[3 * i + 2] & 0xff;
            drawn.setRGB(i % image.width(), i / image.width(), colour);
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(drawn, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png.toByteArray());
    }

    private static void read(HttpResponse<Stream<String>> response, Runnable token) {
        boolean[] done = new boolean[1];
        try (Stream<String> lines = response.body()) {
            lines.forEach(line -> {
                done[0] |= line.equals("data: [DONE]");
                if (line.startsWith("data: {")
                        && line.contains("\"content\":\"")
                        && !line.contains("\"content\":\"\"")) {
                    token.run();
                }
            });
        }
        if (response.statusCode() != 200 || !done[0]) {
            throw new IllegalStateException("status " + response.statusCode() + (done[0] ? "" : ", without [DONE]"));
        }
    }
}
