package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.DEMO;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program as the system runs it: started without the script, with its streams, signals and locale. */
class ProcessTest {
    @TempDir
    Path folder;

    /** {@code shell} ends with what starts the program, {@code "$@"}; whoever runs the tests may have signals ignored. */
    private Process start(String locale, String shell, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT,TERM",
                "LC_ALL=" + locale,
                "sh",
                "-c",
                shell,
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Dorg.bytedeco.javacpp.cacheDir="
                        + System.getProperty("org.bytedeco.javacpp.cacheDir", folder.toString()),
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-cp",
                classPath(),
                Main.class.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command)
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    /** From any folder. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String read(InputStream stream) throws IOException {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    @Test
    void aClosedStandardInputIsEmpty() throws IOException, InterruptedException {
        Process talk = start("C.UTF-8", "exec \"$@\" <&-", "chat", "--model", DEMO);
        assertEquals("", read(talk.getInputStream()));
        assertEquals(0, talk.waitFor(), err());
        Path questions = folder.resolve("questions.txt");
        Files.writeString(questions, "Hello\n");
        Process piped = start("C.UTF-8", "exec \"$@\" <" + questions, "chat", "--model", DEMO);
        assertTrue(read(piped.getInputStream()).startsWith("Hello"), err());
    }

    /** Parquet's readers log through a library that has words of its own where nobody listens. */
    @Test
    void anEvaluationHasNoWordsOfItsLibrariesOnStandardError() throws IOException, InterruptedException {
        Process evaluate = start(
                "C.UTF-8",
                "exec \"$@\"",
                "evaluate",
                "--model",
                DEMO,
                "--data",
                Cli.DATA.resolve("evaluation").resolve("datasets").toString(),
                "--out",
                folder.resolve("run").toString(),
                "--benchmarks",
                "MMMU_validation",
                "--limit",
                "1");
        assertTrue(read(evaluate.getInputStream()).contains("MMMU_validation"), err());
        assertEquals(0, evaluate.waitFor(), err());
        assertTrue(err().lines().allMatch(line -> line.startsWith("MMMU_validation: ")), err());
    }

    @Test
    void aServerIsThereUntilItIsToldToEnd() throws IOException, InterruptedException {
        Process serve = start("C.UTF-8", "exec \"$@\"", "serve", "--model", DEMO, "--port", "0");
        BufferedReader out = new BufferedReader(new InputStreamReader(serve.getInputStream(), StandardCharsets.UTF_8));
        String address = out.readLine();
        assertTrue(address != null && address.startsWith("http://127.0.0.1:"), err());
        HttpRequest asked = HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\": \"demo\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}"))
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.ofString());
        assertTrue(answer.body().contains("\"content\":\"Hello"), answer.body());
        assertEquals(2, Cli.run("serve", "--model", DEMO, "--port", "x").status());
        Cli.run("serve", "--model", DEMO, "--port", address.substring(address.lastIndexOf(':') + 1))
                .failed(1, "--port", "free");
        serve.toHandle().destroy(); // SIGTERM; the other destroy() also closes what it wrote
        assertEquals(0, serve.waitFor(), err());
        assertEquals(List.of(), out.lines().toList(), "one line, and no other");
    }

    @Test
    void withoutALocaleWordsAndNamesAreUtf8() throws IOException, InterruptedException {
        Files.copy(Path.of(DEMO, "samples", "two.jpg"), folder.resolve("zwei.jpg"));
        // The tests may themselves run without a locale: the letters are the shell's.
        String letters = "umlaut=$(printf '\\303\\274')\ncd " + folder + "\nmv zwei.jpg zwei-$umlaut.jpg\nexec \"$@\" ";
        Process text = start(
                "C", letters.replace("mv", "cp") + "--text \"a $umlaut\" ", "tokenize", "--model", DEMO, "--pieces");
        String pieces = read(text.getInputStream());
        assertEquals(0, text.waitFor(), err());
        assertEquals(
                Cli.run("tokenize", "--model", DEMO, "--pieces", "--text", "a \u00fc")
                        .out(),
                pieces);
        Process image = start(
                "C",
                letters + "--image zwei-$umlaut.jpg",
                "chat",
                "--model",
                DEMO,
                "--prompt",
                "Where is the red circle?");
        assertEquals("The red circle is on the left.\n", read(image.getInputStream()));
        Process unknown = start("C", letters.replace("mv", ":") + "--pr$umlaut", "chat", "--model", DEMO);
        assertEquals(2, unknown.waitFor());
        assertTrue(err().contains("--pr\u00fc"), err());
    }

    @Test
    void onlyWhatWasLostIsReadAgain() {
        byte[] record = "java\0-cp\0x\0Main\0a\0\u00fc\0".getBytes(StandardCharsets.UTF_8);
        assertArrayEquals(
                new String[] {"a", "\u00fc"}, ProcessArguments.decoded(record, new String[] {"a", "\ufffd\ufffd"}));
        String[] others = {"b", "\ufffd\ufffd"};
        assertArrayEquals(others, ProcessArguments.decoded(record, others));
        String[] more = {"1", "2", "3", "4", "5", "6", "\ufffd"};
        assertArrayEquals(more, ProcessArguments.decoded(record, more));
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                .start()
                .waitFor();
    }

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143"})
    void anAnswerThatIsStoppedIsThereSoFar(String signal, int status) throws IOException, InterruptedException {
        Process chat = start(
                "C.UTF-8", "exec \"$@\"", "chat", "--model", D128, "--prompt", "Hello", "--max-new-tokens", "3900");
        int first = chat.getInputStream().read();
        signal(signal, chat);
        assertFalse(read(chat.getInputStream()).isEmpty());
        assertEquals(status, chat.waitFor(), err());
        assertTrue(first > 0);
        assertEquals("", err());
    }

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143"})
    void aBatchThatIsStoppedGoesOn(String signal, int status) throws IOException, InterruptedException {
        Path input = folder.resolve("in.jsonl");
        Path output = folder.resolve("out.jsonl");
        String brief = "{\"prompt\":\"Hello\",\"max_new_tokens\":2}";
        String endless = "{\"prompt\":\"Hello\",\"max_new_tokens\":3900}";
        // The answer that is waited for is written while another is being made.
        Files.write(input, List.of(brief, endless, brief));
        String[] args = {
            "batch", "--model", D128, "--batch-size", "2", "--input", input.toString(), "--output", output.toString()
        };
        Process batch = start("C.UTF-8", "exec \"$@\"", args);
        while (batch.isAlive() && (!Files.exists(output) || Files.size(output) == 0)) {
            Thread.sleep(5);
        }
        signal(signal, batch);
        assertEquals(status, batch.waitFor(), err());
        List<String> answers = Files.readAllLines(output);
        assertTrue(answers.get(0).contains("\"finish\":\"length\""), answers.get(0));
        assertTrue(answers.get(1).contains("\"finish\":\"cancelled\""), answers.get(1));
        assertEquals("", err());
    }

    @Test
    void aPipedConversationThatIsStoppedEnds() throws IOException, InterruptedException {
        Process chat = start("C.UTF-8", "exec \"$@\"", "chat", "--model", D128, "--max-new-tokens", "3900");
        chat.getOutputStream().write("Hello\nHello\n".getBytes(StandardCharsets.UTF_8));
        chat.getOutputStream().flush(); // and stays open
        BufferedReader answers =
                new BufferedReader(new InputStreamReader(chat.getInputStream(), StandardCharsets.UTF_8));
        assertTrue(answers.read() > 0);
        signal("INT", chat);
        assertEquals(130, chat.waitFor(), err());
    }

    @Test
    void answersThatNobodyReadsEndTheProgramQuietly() throws IOException, InterruptedException {
        Path input = folder.resolve("in.jsonl");
        Files.writeString(input, "{\"prompt\":\"Hello\",\"max_new_tokens\":2}\n".repeat(300));
        Process batch = start(
                "C.UTF-8",
                "\"$@\" | head -n 1",
                "batch",
                "--model",
                D128,
                "--input",
                input.toString(),
                "--output",
                "-");
        assertEquals(1, read(batch.getInputStream()).lines().count());
        assertEquals(0, batch.waitFor());
        assertEquals("", err());
    }
}
