package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the machine and a checkpoint are, and how fast. */
class MachineTest {
    private static final List<String> BENCH = List.of(
            "bench", "--config", D128 + "/config.json", "--prompt-tokens", "20", "--new-tokens", "3", "--runs", "1");

    @TempDir
    Path folder;

    @Test
    void infoTellsTheMachineAndTheCheckpoint() throws IOException {
        assertTrue(run("info").succeeded().out().contains("cpu kernels"));
        JsonNode json =
                run("info", "--json", "--check", "--model", D128).succeeded().json();
        assertEquals(16, json.get("model").get("tokens_per_image").asInt());
        assertTrue(json.get("model").get("image_token").isNull());
        assertTrue(json.get("memory_plan").get("total").asLong() > 9_000_000);
        String text = run("info", "--check", "--model", D128).succeeded().out();
        assertTrue(text.contains("all finite") && text.contains("fits"), text);
        JsonNode bytes = run("info", "--json", "--model", D128, "--kv-cache", "int8")
                .succeeded()
                .json();
        assertEquals("INT8", bytes.get("memory_plan").get("kv_cache_type").asText());
        assertTrue(bytes.get("memory_plan").get("kv_cache").asLong()
                < json.get("memory_plan").get("kv_cache").asLong());
        assertTrue(text.contains("KV cache, bf16"), text);
        assertTrue(text.contains("KV cache, 7 more"), text);
        String drafted =
                run("info", "--model", D128, "--draft", D128).succeeded().out();
        assertTrue(drafted.contains("draft "), drafted);
        String alone =
                run("info", "--model", D128, "--batch-size", "1").succeeded().out();
        assertFalse(alone.contains(" more "), alone);
        String many = run("info", "--model", D128, "--batch-size", "10000000")
                .succeeded()
                .out();
        assertTrue(many.contains("does not fit: it fits with batches of "), many);
        assertTrue(text.contains("on           cpu"), text);
        run("info", "--check").failed(2, "--model");
        run("info", "--model", "/nowhere").failed(1, "/nowhere");
    }

    @Test
    void infoFindsDamagedAndMissingWeights() throws IOException {
        for (Path file : Files.list(Path.of(D128)).filter(Files::isRegularFile).toList()) {
            Files.copy(file, folder.resolve(file.getFileName()));
        }
        Path shard = folder.resolve("model-00001-of-00002.safetensors");
        try (RandomAccessFile data = new RandomAccessFile(shard.toFile(), "rw")) {
            data.seek(data.length() - 2);
            data.write(new byte[] {(byte) 0xc0, 0x7f}); // a NaN of bf16
        }
        run("info", "--model", folder.toString()).succeeded();
        Run checked = run("info", "--check", "--model", folder.toString());
        assertEquals(1, checked.status(), checked.err());
        assertTrue(checked.out().contains("not finite"), checked.out());
        Path index = folder.resolve("model.safetensors.index.json");
        Files.writeString(index, Files.readString(index).replaceFirst("\"vision_model[^,]*,", ""));
        Run missing = run("info", "--model", folder.toString());
        assertEquals(1, missing.status(), missing.out());
    }

    @Test
    void benchPrintsSpeedsAndShares() throws IOException {
        List<String> figures = List.of(
                "load_seconds",
                "vision_ms_per_image",
                "prefill_tokens_per_second",
                "decode_tokens_per_second",
                "peak_rss_bytes",
                "jvm_bytes",
                "memory_bar_bytes",
                "read_gigabytes_per_second",
                "f32_gigaflops",
                "bf16_gigaflops",
                "int8_gigaops",
                "vision_share_of_peak",
                "prefill_share_of_peak",
                "decode_share_of_bandwidth");
        for (Run run : List.of(run(BENCH, "--json"), run(BENCH, "--json", "--past", "40", "--threads", "1"))) {
            for (String figure : figures) {
                assertTrue(run.succeeded().json().get(figure).asDouble() > 0, figure + ": " + run.out());
            }
        }
        String text = run("bench", "--model", D128, "--prompt-tokens", "20", "--new-tokens", "3", "--runs", "1")
                .succeeded()
                .out();
        assertTrue(figures.stream().allMatch(text::contains), text);
        // The difference of two figures: so small a model may take less than the JVM gave back meanwhile.
        assertTrue(text.contains("memory_peak_bytes"), text);
        JsonNode cold = run(
                        "bench",
                        "--model",
                        D128,
                        "--prompt-tokens",
                        "20",
                        "--new-tokens",
                        "3",
                        "--runs",
                        "1",
                        "--json",
                        "--cold",
                        "--kv-cache",
                        "int8",
                        "--affinity",
                        "auto")
                .succeeded()
                .json();
        assertEquals("int8", cold.get("kv_cache").asText());
        assertTrue(cold.get("warm_first_token_seconds").asDouble() > 0, cold.toString());
        assertTrue(
                cold.has("cold_first_token_seconds")
                        == (cold.get("cold_cache_left_share").asDouble() <= 0.02),
                cold.toString());
        assertFalse(run(BENCH, "--images", "0").succeeded().out().contains("vision"));
        String rounding = run(
                        "bench",
                        "--model",
                        D128,
                        "--prompt-tokens",
                        "20",
                        "--new-tokens",
                        "3",
                        "--runs",
                        "1",
                        "--precision",
                        "bf16",
                        "--activations",
                        "bf16",
                        "--device",
                        "cpu")
                .succeeded()
                .out();
        assertTrue(rounding.contains("bf16 activations"), rounding);
    }

    @Test
    void benchDecodesSequencesTogether() throws IOException {
        JsonNode json = run(BENCH, "--json", "--images", "0", "--sequences", "3")
                .succeeded()
                .json();
        for (String figure : List.of("tokens_per_second", "over_one", "share_of_bandwidth", "share_of_peak")) {
            assertTrue(json.get("together_" + figure).asDouble() > 0, figure + ": " + json);
        }
        assertEquals(3, json.get("sequences").asInt());
        assertTrue(json.get("memory_bar_bytes").asLong()
                > run(BENCH, "--json", "--images", "0")
                        .succeeded()
                        .json()
                        .get("memory_bar_bytes")
                        .asLong());
        assertFalse(run(BENCH, "--images", "0").succeeded().out().contains("together"));
    }

    @Test
    void benchRefusesWhatCannotBeMeasured() {
        for (String option : List.of("--prompt-tokens", "--new-tokens", "--past", "--sequences", "--runs")) {
            run(Stream.concat(Stream.of("bench", "--model", D128), Stream.of(option, "0"))
                            .toList())
                    .failed(2, option);
        }
        run(BENCH, "--images", "-1").failed(2, "--images");
        run(BENCH, "--past", "5000").failed(1, "4096");
        run("bench").failed(2, "--model", "--config");
        run(BENCH, "--cold").failed(2, "--cold", "--model");
        run("bench", "--config", "/nowhere/config.json").failed(1, "/nowhere");
    }
}
