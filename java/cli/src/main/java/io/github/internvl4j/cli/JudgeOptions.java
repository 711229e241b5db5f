package io.github.internvl4j.cli;

import io.github.internvl4j.evaluate.Benchmark;
import io.github.internvl4j.evaluate.Benchmarks;
import io.github.internvl4j.evaluate.EndpointJudge;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who takes MathVista's answers out of sentences. */
final class JudgeOptions {
    private static final String MEMORY = "judge.jsonl";

    @Option(
            names = "--judge-url",
            paramLabel = "URL",
            description = "An endpoint of OpenAI's form, up to /v1, for MathVista; " + ServeCommand.KEY_VARIABLE
                    + " in the environment is its key. Without one, rules do what they can.")
    private @Nullable URI url;

    @Option(
            names = "--judge-model",
            defaultValue = "default",
            paramLabel = "NAME",
            description = "The model to ask it for.")
    private String model;

    @Option(
            names = "--judge-prompt",
            paramLabel = "FILE",
            description = "The examples before each question: MathVista's evaluation/prompts/ext_ans.py has them.")
    private @Nullable Path prompt;

    /**
     * The benchmarks, with the judge if there is one.
     *
     * @param out a folder for what it says
     */
    List<Benchmark> of(List<Benchmark> benchmarks, @Nullable Path out, @Nullable String key) throws IOException {
        if (url == null || out == null) {
            return benchmarks;
        }
        String examples = prompt == null ? null : Files.readString(prompt);
        Files.createDirectories(out);
        EndpointJudge judge = new EndpointJudge(url, model, key, examples, out.resolve(MEMORY));
        return benchmarks.stream()
                .map(benchmark -> Benchmarks.judgedBy(judge, benchmark))
                .toList();
    }
}
