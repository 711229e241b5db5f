package io.github.internvl4j.micrometer;

import io.github.internvl4j.Counts;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.RequestListener;
import io.github.internvl4j.RequestReport;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InvalidOptionException;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a model does, as meters of a registry: what its scheduler counts is looked at when somebody reads the meters, and each request
 * adds its times when it ends. This is the only class that needs Micrometer ({@code io.micrometer:micrometer-core}).
 *
 * <p>When the model is closed its gauges have no value, and its counters stay as they were last read.
 */
public final class MicrometerMetrics implements AutoCloseable {
    private static final String PREFIX = "internvl4j.";

    private final InternVL model;
    private final MeterRegistry registry;
    private final Tags tags;
    private final List<Meter> meters = new ArrayList<>();
    private final RequestListener listener = this::hear;
    private final Timer queue;
    private final Timer vision;
    private final Timer firstToken;
    private final Timer betweenTokens;
    private final Map<String, Timer> whole = new HashMap<>(); // by how it ended
    private volatile Counts counts;

    private MicrometerMetrics(InternVL model, MeterRegistry registry, Tags tags) {
        this.model = model;
        this.registry = registry;
        this.tags = tags;
        counts = model.counts();
        gauge("requests.running", "requests", "Requests that take part in passes", Counts::running);
        gauge("requests.waiting", "requests", "Requests that wait for that", Counts::waiting);
        gauge("kv.blocks.used", "blocks", "Blocks of the KV cache of requests that run", Counts::blocksUsed);
        gauge("kv.blocks.max", "blocks", "Blocks that there may be", Counts::blocks);
        counter("tokens.prompt", "tokens", "Tokens of the prompts of requests begun", Counts::promptTokens);
        counter("tokens.reused", "tokens", "Of those, found in the cache", Counts::reusedTokens);
        counter("tokens.new", "tokens", "Tokens generated", Counts::newTokens);
        counter("tokens.guessed", "tokens", "Tokens guessed, to be checked several at once", Counts::guessedTokens);
        counter("tokens.guessed.right", "tokens", "Of those, right", Counts::rightTokens);
        counter("tokens.drafted", "tokens", "Tokens guessed by the draft", Counts::draftedTokens);
        counter("tokens.drafted.right", "tokens", "Of those, right", Counts::rightDraftedTokens);
        counter("images.encoded", "images", "Images encoded", Counts::images);
        counter("images.shared", "images", "Images found among those asked about before", Counts::sharedImages);
        counter("preemptions", "requests", "Requests that gave their blocks back for a while", Counts::preemptions);
        counter("passes", "passes", "Passes of the decoder", Counts::passes);
        queue = timer("request.queue", "Waiting for other requests", Tags.empty());
        vision = timer("request.vision", "Preparing and encoding images", Tags.empty());
        firstToken = timer("request.first.token", "From the request to its first token", Tags.empty());
        betweenTokens = timer("request.between.tokens", "From a token to the next", Tags.empty());
        for (FinishReason reason : FinishReason.values()) {
            addWhole(name(reason));
        }
        addWhole(name(null));
    }

    /**
     * Adds a model's meters to a registry, until the returned is closed.
     *
     * @param tags of all of them, keys and values in turn: of several models in one registry each needs some of its own
     * @throws InvalidOptionException if a key has no value
     * @throws ClosedException if the model is closed
     */
    @SuppressWarnings("exports") // who calls it requires Micrometer; who does not must be compiled without
    public static MicrometerMetrics bind(InternVL model, MeterRegistry registry, String... tags) {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(registry, "registry");
        Objects.requireNonNull(tags, "tags");
        if (tags.length % 2 != 0) {
            throw new InvalidOptionException("tags is " + Arrays.toString(tags) + ", expected keys and values in turn");
        }
        MicrometerMetrics metrics = new MicrometerMetrics(model, registry, Tags.of(tags));
        model.addRequestListener(metrics.listener);
        return metrics;
    }

    /** Whether the model is open still. */
    private boolean look() {
        try {
            counts = model.counts();
            return true;
        } catch (ClosedException closed) {
            return false;
        }
    }

    private double now(ToDoubleFunction<Counts> value) {
        return look() ? value.applyAsDouble(counts) : Double.NaN;
    }

    private double total(ToDoubleFunction<Counts> value) {
        look();
        return value.applyAsDouble(counts);
    }

    /** The registry holds what it looks at weakly; the model holds this by its listener. */
    private void gauge(String name, String unit, String description, ToDoubleFunction<Counts> value) {
        meters.add(Gauge.builder(PREFIX + name, this, metrics -> metrics.now(value))
                .tags(tags)
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    private void counter(String name, String unit, String description, ToDoubleFunction<Counts> value) {
        meters.add(FunctionCounter.builder(PREFIX + name, this, metrics -> metrics.total(value))
                .tags(tags)
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    private Timer timer(String name, String description, Tags more) {
        Timer timer = Timer.builder(PREFIX + name)
                .tags(tags.and(more))
                .description(description)
                .register(registry);
        meters.add(timer);
        return timer;
    }

    private void addWhole(String finish) {
        whole.put(finish, timer("request", "From the request to its end", Tags.of("finish", finish)));
    }

    private void hear(RequestReport report) {
        add(vision, report.vision());
        report.firstToken().ifPresent(seconds -> {
            add(queue, report.queue());
            add(firstToken, seconds);
        });
        report.betweenTokens().forEach(seconds -> add(betweenTokens, seconds));
        Timer ended = whole.get(name(report.finish()));
        if (ended != null) {
            add(ended, report.whole());
        }
    }

    private static String name(@Nullable FinishReason finish) {
        return finish == null ? "failed" : finish.name().toLowerCase(Locale.ROOT);
    }

    private static void add(Timer timer, double seconds) {
        timer.record((long) (seconds * 1e9), TimeUnit.NANOSECONDS);
    }

    /** Takes the meters out of the registry. Idempotent. */
    @Override
    public synchronized void close() {
        model.removeRequestListener(listener);
        meters.forEach(registry::remove);
        meters.clear(); // others may come to have their names
    }
}
