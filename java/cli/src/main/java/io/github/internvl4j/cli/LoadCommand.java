package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.cli.traffic.Arrivals;
import io.github.internvl4j.cli.traffic.EndpointTarget;
import io.github.internvl4j.cli.traffic.LibraryTarget;
import io.github.internvl4j.cli.traffic.Target;
import io.github.internvl4j.cli.traffic.Traffic;
import io.github.internvl4j.cli.traffic.TrafficReport;
import io.github.internvl4j.server.openai.JsonText;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Latencies under load. */
@Command(
        name = "load",
        description = {
            "Sends requests as many people would, and prints how long they waited for their first and next tokens.",
            "The load is open: requests come at random times at a rate, whether earlier ones are answered or not;",
            "with --clients it is closed."
        },
        footer = {
            "",
            "Examples:",
            "  internvl4j load --model DIR --rate 4 --seconds 60 --image-share 0.2",
            "  internvl4j load --url http://localhost:8080/v1 --rate 4 --json"
        })
final class LoadCommand implements Callable<Integer> {
    private static final int MOST_CLIENTS = 10_000;

    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Subject subject;

    /** Who answers. */
    private static final class Subject {
        @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
        private @Nullable ModelFolder model;

        @Option(
                names = "--url",
                required = true,
                paramLabel = "URL",
                description = "Or an endpoint of OpenAI's form, up to /v1; " + ServeCommand.KEY_VARIABLE
                        + " in the environment is its key.")
        private @Nullable URI url;
    }

    @Option(
            names = "--url-model",
            defaultValue = "default",
            paramLabel = "NAME",
            description = "The model to ask the endpoint for.")
    private String urlModel;

    @Mixin
    private ComputeOptions compute;

    @Mixin
    private KvMemoryOption kvMemory;

    @Mixin
    private BatchSizeOption batchSize;

    @Option(names = "--rate", defaultValue = "1", paramLabel = "X", description = "Requests a second (default: 1).")
    private double rate;

    @Option(
            names = "--seconds",
            defaultValue = "30",
            paramLabel = "X",
            description = "How long they come (default: 30).")
    private double seconds;

    @Option(
            names = "--clients",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "The same requests in another order: each of so many sends the next when its last is answered.")
    private int clients;

    @Option(
            names = "--prompt-words",
            defaultValue = "100",
            paramLabel = "N",
            description = "Of a question, about (default: 100).")
    private int promptWords;

    @Option(
            names = "--new-tokens",
            defaultValue = "100",
            paramLabel = "N",
            description = "Of an answer, about (default: 100).")
    private int newTokens;

    @Option(
            names = "--image-share",
            defaultValue = "0",
            paramLabel = "X",
            description = "Requests with an image, 0 to 1 (default: 0).")
    private double imageShare;

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "Of times, lengths and images (default: 1).")
    private long seed;

    @Option(
            names = "--good-first-token",
            defaultValue = "2",
            paramLabel = "X",
            description = "Seconds to the first token at which a request is still good (default: 2).")
    private double goodFirstToken;

    @Option(
            names = "--good-between-tokens",
            defaultValue = "0.2",
            paramLabel = "X",
            description = "Seconds between two tokens at which it is (default: 0.2).")
    private double goodBetweenTokens;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        require(rate > 0 && rate <= 1e5, "--rate", rate, "above 0, at most 100000");
        require(seconds > 0 && rate * seconds <= 1e6, "--seconds", seconds, "above 0, for at most a million requests");
        require(clients >= 0 && clients <= MOST_CLIENTS, "--clients", clients, "0 to " + MOST_CLIENTS);
        require(promptWords >= 1, "--prompt-words", promptWords, "at least 1");
        require(newTokens >= 1, "--new-tokens", newTokens, "at least 1");
        require(imageShare >= 0 && imageShare <= 1, "--image-share", imageShare, "0 to 1");
        List<Arrivals.Arrival> arrivals =
                Arrivals.of(new Arrivals.Rules(rate, seconds, promptWords, newTokens, imageShare, seed));
        if (subject.url != null) {
            return print(arrivals, new EndpointTarget(subject.url, urlModel, main.variable(ServeCommand.KEY_VARIABLE)));
        }
        LoadOptions options = batchSize.of(kvMemory.of(compute.of(LoadOptions.defaults())));
        try (InternVL loaded =
                InternVL.load(Objects.requireNonNull(subject.model).path(), options)) {
            return print(arrivals, new LibraryTarget(loaded));
        }
    }

    private void require(boolean holds, String option, Object value, String expected) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), option + " is " + value + ", expected " + expected);
        }
    }

    private int print(List<Arrivals.Arrival> arrivals, Target target) throws InterruptedException {
        TrafficReport report = clients > 0 ? Traffic.inTurn(arrivals, target, clients) : Traffic.run(arrivals, target);
        Map<String, Object> figures = report.figures(goodFirstToken, goodBetweenTokens);
        if (json) {
            main.streams.out().println(JsonText.text(figures));
        } else {
            figures.forEach((name, value) -> main.streams
                    .out()
                    .println(name.replace('_', ' ') + ": "
                            + (value instanceof Double x ? String.format(Locale.ROOT, "%.4g", x) : value)));
        }
        return 0;
    }
}
