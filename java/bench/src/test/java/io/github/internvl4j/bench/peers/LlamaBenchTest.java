package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LlamaBenchTest {
    /** As ik_llama.cpp's writes it, many fields left out. */
    private static final String DECODED = """
            [
              {
                "build_commit": "8337e4cd",
                "build_number": 4840,
                "cpu_info": "AMD EPYC",
                "n_threads": 2,
                "n_prompt": 1024,
                "n_gen": 32,
                "test_time": "2026-11-25T10:00:00Z",
                "avg_ns": 2000000000,
                "samples_ns": [ 1600000000 ],
                "samples_ts": [ 20 ]
              }
            ]
            """;

    @Test
    void secondsOfADecodedToken() throws Exception {
        LlamaBenchOutput output = LlamaBenchOutput.parse(DECODED);
        assertEquals(0.05, output.seconds(), 1e-12);
        assertEquals("build 4840 (8337e4cd)", output.build());
    }

    @Test
    void secondsOfAWholePrompt() throws Exception {
        assertEquals(
                1.6,
                LlamaBenchOutput.parse(DECODED.replace("\"n_gen\": 32", "\"n_gen\": 0"))
                        .seconds(),
                1e-12);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]                                     | llama-bench wrote [], expected an array of one test",
                "[{\"samples_ns\": []}]                 | llama-bench's samples_ns is [], expected one positive number",
                "[{\"samples_ns\": [0]}]                | llama-bench's samples_ns is [0], expected one positive number",
                "[{\"n_gen\": 1}]                       | llama-bench's test has no field samples_ns: {\"n_gen\":1}",
                "[{\"samples_ns\": [5]}]                | llama-bench's test has no field n_gen: {\"samples_ns\":[5]}",
            })
    void whatIsNoResultIsNamed(String json, String message) {
        assertEquals(
                message,
                assertThrows(IOException.class, () -> LlamaBenchOutput.parse(json))
                        .getMessage());
    }

    @Test
    void textThatIsNoJsonIsAnError() {
        assertThrows(IOException.class, () -> LlamaBenchOutput.parse("error: unknown argument"));
    }

    @Test
    void thePastIsAskedForInTheEnginesOwnWay() {
        Side ik = new Side(Engine.IK_LLAMA_CPP, Format.BF16, LlamaCpp.FLASH);
        Side upstream = new Side(Engine.LLAMA_CPP, Format.BF16, "");
        assertEquals(
                List.of("-fa", "1", "-rtr", "1", "-p", "0", "-n", "0", "-gp", "1024,32"),
                options(ik, Task.decode("yi-mini", 1024)));
        assertEquals(
                List.of("-fa", "0", "-p", "0", "-n", "32", "-d", "1024"),
                options(upstream, Task.decode("yi-mini", 1024)));
        assertEquals(List.of("-fa", "0", "-p", "0", "-n", "32"), options(upstream, Task.decode("yi-mini", 0)));
        assertEquals(List.of("-fa", "0", "-p", "512", "-n", "0"), options(upstream, Task.prefill("yi-mini", 512)));
    }

    /** Without the beginning, which is always the same. */
    private static List<String> options(Side side, Task task) {
        List<String> command = LlamaBench.command("llama-bench", "m.gguf", task, side, 2);
        List<String> begin = List.of("llama-bench", "-m", "m.gguf", "-t", "2", "-ngl", "0", "-r", "1", "-o", "json");
        assertEquals(begin, command.subList(0, begin.size()));
        return command.subList(begin.size(), command.size());
    }
}
