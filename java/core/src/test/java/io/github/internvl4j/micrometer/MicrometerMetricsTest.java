package io.github.internvl4j.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.Counts;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import io.github.internvl4j.TestData;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.Image;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The meters have what the model counts, and what its requests took. */
class MicrometerMetricsTest {
    private static final Path CHECKPOINT = TestData.root().resolve("hermes-d128");

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private InternVL model;
    private MicrometerMetrics metrics;

    @BeforeEach
    void load() {
        model = InternVL.load(CHECKPOINT, LoadOptions.defaults().threads(1));
        metrics = MicrometerMetrics.bind(model, registry);
    }

    @AfterEach
    void close() {
        metrics.close();
        model.close();
    }

    private double gauge(String name) {
        return registry.get("internvl4j." + name).gauge().value();
    }

    private double count(String name) {
        return registry.get("internvl4j." + name).functionCounter().count();
    }

    private Timer timer(String name, String... tags) {
        return registry.get("internvl4j." + name).tags(tags).timer();
    }

    @Test
    void aRequestIsInEveryMeter() {
        Prompt prompt = Prompt.of("What is it?", Image.read(CHECKPOINT.resolve("images/discs.jpg")));
        Reply reply = model.generate(prompt, GenerationConfig.greedy(8));
        model.generate(prompt, GenerationConfig.greedy(8));
        Counts counts = model.counts();
        assertEquals(2.0 * reply.promptTokens().size(), count("tokens.prompt"));
        assertEquals(counts.reusedTokens(), count("tokens.reused"));
        assertEquals(2.0 * reply.tokens().size(), count("tokens.new"));
        assertEquals(1, count("images.encoded"));
        assertEquals(1, count("images.shared"));
        assertEquals(0, count("preemptions"));
        assertEquals(counts.passes(), count("passes"));
        assertEquals(counts.guessedTokens(), count("tokens.guessed"));
        assertEquals(counts.rightTokens(), count("tokens.guessed.right"));
        assertEquals(0, gauge("requests.running"));
        assertEquals(0, gauge("requests.waiting"));
        assertEquals(0, gauge("kv.blocks.used"));
        assertEquals(counts.blocks(), gauge("kv.blocks.max"));

        String finish = reply.finish() == FinishReason.STOP ? "stop" : "length";
        assertEquals(2, timer("request", "finish", finish).count());
        assertEquals(2, timer("request.queue").count());
        assertEquals(2, timer("request.first.token").count());
        assertEquals(
                2L * (reply.tokens().size() - 1),
                timer("request.between.tokens").count());
        double vision = timer("request.vision").totalTime(TimeUnit.SECONDS);
        double first = timer("request.first.token").totalTime(TimeUnit.SECONDS);
        double whole = timer("request", "finish", finish).totalTime(TimeUnit.SECONDS);
        assertTrue(0 < vision && vision < first && first < whole, vision + ", " + first + ", " + whole);
        double sum = first + timer("request.between.tokens").totalTime(TimeUnit.SECONDS);
        assertTrue(sum <= whole, sum + " of " + whole);
    }

    @Test
    void eachEndHasATimer() {
        Cancellation used = new Cancellation();
        used.cancel();
        model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1), ReplyListener.none(), null);
        model.generate(Prompt.of("Hello"), GenerationConfig.defaults(), ReplyListener.none(), used);
        assertThrows(
                ClosedException.class,
                () -> model.generate(Prompt.of("Hello"), GenerationConfig.greedy(3_000), chunk -> model.close(), null));
        assertEquals(1, timer("request", "finish", "length").count());
        assertEquals(1, timer("request", "finish", "cancelled").count());
        assertEquals(1, timer("request", "finish", "failed").count());
        assertEquals(0, timer("request", "finish", "stop").count());
    }

    @Test
    void aClosedModelHasItsCountersAndNothingElse() {
        model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1));
        double tokens = count("tokens.prompt");
        assertTrue(tokens > 0);
        model.close();
        assertEquals(tokens, count("tokens.prompt"));
        assertEquals(Double.NaN, gauge("requests.running"));
        metrics.close();
        assertThrows(ClosedException.class, () -> MicrometerMetrics.bind(model, registry));
        assertEquals(0, registry.getMeters().size());
    }

    @Test
    void closingTakesItsOwnMetersOutAndNoOthers() {
        metrics.close();
        MicrometerMetrics first = MicrometerMetrics.bind(model, registry, "model", "first");
        int meters = registry.getMeters().size();
        MicrometerMetrics second = MicrometerMetrics.bind(model, registry, "model", "second");
        assertEquals(2 * meters, registry.getMeters().size());
        Timer of = timer("request", "model", "first", "finish", "length");
        first.close();
        first.close();
        assertEquals(meters, registry.getMeters().size());
        model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1));
        assertEquals(0, of.count());
        assertEquals(1, timer("request", "model", "second", "finish", "length").count());
        second.close();
    }

    @Test
    void aTagWithoutAValueIsRefused() {
        assertThrows(InvalidOptionException.class, () -> MicrometerMetrics.bind(model, registry, "model"));
    }
}
