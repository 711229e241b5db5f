package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.cli.Cli.Run;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Whatever goes wrong is one line and an exit status. */
class FailuresTest {
    private static final List<String> ASK = List.of("chat", "--model", D128, "--prompt", "x");

    @TempDir
    Path folder;

    @Test
    void wrongUsageIsStatusTwo() {
        run().failed(2, "chat, batch");
        run("chat").failed(2, "--model");
        run("sing").failed(2, "sing");
        run(ASK, "--precision", "f8").failed(2, "f8");
        run(ASK, "--device", "tpu").failed(2, "'--device': device is 'tpu', expected auto");
        run(ASK, "--kv-cache", "int4").failed(2, "--kv-cache", "int4");
        run(ASK, "--device", "cuda:x").failed(2, "cuda:x");
        run(ASK, "--threads", "many").failed(2, "'--threads': expected an integer of 32 bits, found 'many'");
        run(ASK, "--temperature", "hot").failed(2, "'--temperature': expected a number, found 'hot'");
        run(ASK, "--history", "a\0b").failed(2, "'--history': no file can be named so");
        run(ASK, "--frames").failed(2, "--frames");
        run("chat", "--model", D128, "--prompt").failed(2, "--prompt");
        run(ASK, "--end", "3").failed(2, "--video");
    }

    @Test
    void unusableOptionsAreStatusOne() {
        run(ASK, "--device", "cuda:99").failed(1, "cuda:99");
        run(ASK, "--temperature", "-1").failed(1, "temperature");
        run(ASK, "--temperature", "NaN").failed(1, "temperature");
        run(ASK, "--top-p", "NaN").failed(1, "--top-p is NaN");
        run(ASK, "--top-k", "-1").failed(1, "--top-k is -1");
        run(ASK, "--repetition-penalty", "0").failed(1, "--repetition-penalty is 0.0");
        run(ASK, "--max-new-tokens", "0").failed(1, "--max-new-tokens is 0");
        run(ASK, "--min-p", "1").failed(1, "--min-p is 1.0");
        run(ASK, "--min-new-tokens", "5", "--max-new-tokens", "4")
                .failed(1, "--min-new-tokens is 5", "0 to maxNewTokens, 4");
        run(ASK, "--frequency-penalty", "Infinity").failed(1, "--frequency-penalty is Infinity");
        run(ASK, "--presence-penalty", "NaN").failed(1, "--presence-penalty is NaN");
        run(ASK, "--logit-bias", "-3=1").failed(1, "--logit-bias is {-3=1.0}");
        run(ASK, "--logit-bias", "5000000=1").failed(1, "--logit-bias of token is 5000000");
        run(ASK, "--kv-memory", "-1").failed(1, "--kv-memory is -1");
        run(ASK, "--kv-memory", "1000").failed(1, "--kv-memory is 1000 bytes", "256 tokens");
        run(ASK, "--kv-memory", "600000", "--max-new-tokens", "4000").failed(1, "positions of the KV cache");
        run(ASK, "--draft", Cli.DEMO).failed(1, "--draft is " + Cli.DEMO, "its vocabulary has 841 tokens");
        run(ASK, "--draft", "/nowhere").failed(1, "/nowhere");
        run(ASK, "--stop", "").failed(1, "--stop is");
        run(ASK, "--top-logprobs", "65").failed(1, "--top-logprobs is 65");
        run(ASK, "--memory-limit", "1000").failed(1, "MiB");
        run(ASK, "--threads", "-3").failed(1, "--threads is -3");
        run(ASK, "--affinity", "last").failed(1, "affinity", "last");
        run(ASK, "--affinity", "1023").failed(1, "affinity", "1023");
        run(ASK, "--kv-cache", "int8", "--device", "cuda").failed(1, "KV cache is int8", "expected auto or bf16");
        run(ASK, "--precision", "f16", "--activations", "bf16").failed(1, "bf16 activations", "f16");
        run(ASK, "--context", "-1").failed(1, "--context is -1");
        run(ASK, "--context", "10").failed(1, "10");
        run(ASK, "--context", "1000000").failed(1, "--context is 1000000");
        run(ASK, "--memory-limit", "-5").failed(1, "--memory-limit is -5");
    }

    /** An option of the library that nobody thought of here would be told by its name in Java. */
    @Test
    void everyOptionOfTheLibraryHasItsNameHere() {
        List<String> unused = List.of("stopTokens", "listener", "guessing");
        List<String> batch = List.copyOf(new CommandLine(new BatchCommand())
                .getCommandSpec()
                .optionsMap()
                .keySet());
        Stream.of(GenerationConfig.class, LoadOptions.class)
                .flatMap(type -> Arrays.stream(type.getMethods()).filter(method -> method.getReturnType() == type))
                .filter(method -> method.getParameterCount() == 1 && !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !unused.contains(name))
                .forEach(name -> assertTrue(batch.contains("--" + OptionNames.option(name)), name));
        assertEquals("frames", OptionNames.option("numSegments"));
        assertEquals("context", OptionNames.option("context_length"));
        assertNull(OptionNames.option("the"));
        InvalidOptionException failure = new InvalidOptionException("maxNewTokens is 0, expected at least 1");
        assertEquals("max_new_tokens is 0, expected at least 1", OptionNames.inLine(failure));
    }

    @Test
    void addressesAreNotFetched() {
        String image = "https://example.invalid//a.jpg";
        run(ASK, "--image", image).failed(1, image + ": addresses are not fetched");
        run(ASK, "--video", "S3://bucket/a.mp4").failed(1, "S3://bucket/a.mp4: addresses are not fetched");
        run("preprocess", "--model", D128, "--image", image, "--out", "x").failed(1, image);
        run(ASK, "--image", "file://elsewhere/a.png").failed(1, "file:///FOLDER/NAME");
        String real = Path.of(D128, "images", "discs.jpg").toUri().toString();
        run(ASK, "--max-new-tokens", "1", "--image", real).succeeded();
    }

    @Test
    void badPromptsAreStatusOne() throws IOException {
        run("chat", "--model", D128, "--prompt", "").failed(1, "question");
        run("chat", "--model", D128, "--image", D128 + "/images/discs.jpg", "--prompt", "<image> <image>")
                .failed(1, "2", "1");
        run("chat", "--model", D128, "--prompt", "a ".repeat(5000)).failed(1, "4096");
        run(ASK, "--image", "absent.png").failed(1, "absent.png");
        run(ASK, "--image", Files.createFile(folder.resolve("empty.png")).toString())
                .failed(1, "empty.png");
        run(ASK, "--image", D128 + "/config.json").failed(1, "config.json");
        run(ASK, "--video", D128 + "/config.json").failed(1, "config.json");
        Path history = folder.resolve("h.json");
        run(ASK, "--history", history.toString()).failed(1, "h.json");
        for (String wrong :
                List.of("{\"a\": 1}", "[[\"q\"]]", "[[\"q\", null]]", "[null]", "null", "[[1, 2]]", "[", "")) {
            Files.writeString(history, wrong);
            run(ASK, "--history", history.toString()).failed(1, "h.json", "[question, answer]");
        }
    }

    @Test
    void badCheckpointsAreStatusOne() throws IOException {
        run("chat", "--model", "/nowhere", "--prompt", "x").failed(1, "/nowhere");
        for (Path file : Files.list(Path.of(D128)).filter(Files::isRegularFile).toList()) {
            Files.copy(file, folder.resolve(file.getFileName()));
        }
        List<String> ask = List.of("chat", "--model", folder.toString(), "--prompt", "x");
        for (String name : List.of(
                "config.json",
                "tokenizer.model",
                "preprocessor_config.json",
                "model.safetensors.index.json",
                "model-00002-of-00002.safetensors")) {
            byte[] sound = Files.readAllBytes(folder.resolve(name));
            Files.write(folder.resolve(name), Arrays.copyOf(sound, 9));
            run(ask).failed(1, name);
            Files.write(folder.resolve(name), sound);
        }
        Files.delete(folder.resolve("tokenizer.model"));
        run(ask).failed(1, "tokenizer.model");
    }

    @Test
    void placesThatCannotBeWrittenAreStatusOne() {
        String[] dump = {"dump", "--model", D128, "--prompt", "x", "--out", "/nowhere/d.safetensors"};
        run(dump).failed(1, "/nowhere/d.safetensors");
        String image = D128 + "/images/discs.jpg";
        String[] preprocess = {"preprocess", "--model", D128, "--image", image, "--out", "/nowhere/p"};
        run(preprocess).failed(1, "/nowhere/p");
    }

    @Test
    void verboseTellsWhere() {
        Run verbose = run("chat", "--model", "/nowhere", "--prompt", "x", "--verbose");
        assertEquals(1, verbose.status());
        assertTrue(verbose.err().contains("at io.github.internvl4j"), verbose.err());
    }

    /** Fails as nothing here does. */
    private static InputStream failing(Throwable failure) {
        return new InputStream() {
            @Override
            public int read() {
                if (failure instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) failure;
            }
        };
    }

    @Test
    void theUnforeseenIsOneLineToo() {
        for (Throwable failure : List.of(new OutOfMemoryError("full"), new IllegalStateException("odd\n state"))) {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Streams streams = new Streams(failing(failure), new ByteArrayOutputStream(), err);
            int status = Main.execute(streams, "chat", "--model", D128);
            String told = failure instanceof Error ? "heap" : "IllegalStateException: odd state";
            new Run(status, "", err.toString(StandardCharsets.UTF_8)).failed(1, told);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "pull",
                "chat",
                "batch",
                "dump",
                "compare",
                "tokenize",
                "detokenize",
                "preprocess",
                "bench",
                "info"
            })
    void everyCommandHasHelp(String command) {
        Run run = command.isEmpty() ? run("--help") : run(command, "--help");
        assertTrue(run.succeeded().out().startsWith("Usage: internvl4j " + command), run.out());
        assertTrue(run.out().contains("Example"), run.out());
        Run version = command.isEmpty() ? run("--version") : run(command, "--version");
        assertTrue(version.succeeded().out().startsWith("internvl4j "), version.out());
    }
}
