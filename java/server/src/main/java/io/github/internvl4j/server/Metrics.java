package io.github.internvl4j.server;

import io.github.internvl4j.Counts;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Reply;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Labels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;

/** What the server does, under the names that vLLM gave it, so that its boards fit. */
final class Metrics {
    private static final double[] SECONDS = {
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640
    };
    private static final double[] TOKENS = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000
    };

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final String prefix;
    private final InternVL model;
    private final Labels labels;
    private final Counter success;
    private final Counter failures;
    private final Histogram firstToken;
    private final Histogram interToken;
    private final Histogram whole;
    private final Histogram queued;
    private final Histogram prefill;
    private final Histogram decode;
    private final Histogram promptTokens;
    private final Histogram answerTokens;

    /**
     * Those of a model.
     *
     * @param namespace what stands before the colon in each name
     * @param name the model's
     * @param waiting how many requests wait before the model's scheduler
     */
    Metrics(String namespace, String name, InternVL model, IntSupplier waiting) {
        prefix = namespace + ":";
        this.model = model;
        labels = Labels.of("model_name", name);
        gauge("num_requests_running", "Answers that are computed", Counts::running);
        gauge("num_requests_waiting", "Requests that wait", counts -> counts.waiting() + waiting.getAsInt());
        gauge("kv_cache_usage_perc", "Used part of the KV cache, 1 for all", Metrics::usedPart);
        counter("prompt_tokens", "Tokens of prompts", Counts::promptTokens);
        counter("generation_tokens", "Tokens generated", Counts::newTokens);
        counter("prefix_cache_queries", "Tokens that were looked for in the cache", Counts::promptTokens);
        counter("prefix_cache_hits", "Tokens that were there", Counts::reusedTokens);
        counter("num_preemptions", "Requests that gave their part of the KV cache back", Counts::preemptions);
        counter(
                "spec_decode_num_draft_tokens",
                "Tokens guessed",
                counts -> counts.guessedTokens() + counts.draftedTokens());
        counter(
                "spec_decode_num_accepted_tokens",
                "Those that were right",
                counts -> counts.rightTokens() + counts.rightDraftedTokens());
        success = Counter.builder()
                .name(prefix + "request_success")
                .help("Answers by how they ended")
                .constLabels(labels)
                .labelNames("finished_reason")
                .withoutExemplars()
                .register(registry);
        failures = Counter.builder()
                .name(prefix + "request_failure")
                .help("Requests that got no answer or a part of one")
                .constLabels(labels)
                .withoutExemplars()
                .register(registry);
        firstToken = histogram("time_to_first_token_seconds", "From the request to its first token", SECONDS);
        interToken = histogram("inter_token_latency_seconds", "From a token to the next", SECONDS);
        whole = histogram("e2e_request_latency_seconds", "From the request to its end", SECONDS);
        queued = histogram("request_queue_time_seconds", "Waiting", SECONDS);
        prefill = histogram("request_prefill_time_seconds", "From the prompt to the first token", SECONDS);
        decode = histogram("request_decode_time_seconds", "The other tokens", SECONDS);
        promptTokens = histogram("request_prompt_tokens", "Tokens of a prompt", TOKENS);
        answerTokens = histogram("request_generation_tokens", "Tokens of an answer", TOKENS);
    }

    private static double usedPart(Counts counts) {
        return counts.blocks() == 0 ? 0 : (double) counts.blocksUsed() / counts.blocks();
    }

    private void gauge(String name, String help, ToDoubleFunction<Counts> value) {
        GaugeWithCallback.builder()
                .name(prefix + name)
                .help(help)
                .constLabels(labels)
                .callback(told -> told.call(value.applyAsDouble(model.counts())))
                .register(registry);
    }

    private void counter(String name, String help, ToDoubleFunction<Counts> value) {
        CounterWithCallback.builder()
                .name(prefix + name)
                .help(help)
                .constLabels(labels)
                .callback(told -> told.call(value.applyAsDouble(model.counts())))
                .register(registry);
    }

    private Histogram histogram(String name, String help, double... bounds) {
        return Histogram.builder()
                .name(prefix + name)
                .help(help)
                .constLabels(labels)
                .withoutExemplars()
                .classicOnly()
                .classicUpperBounds(bounds)
                .register(registry);
    }

    void failed() {
        failures.inc();
    }

    /** @param arrived when its request came */
    Answer answer(long arrived) {
        return new Answer(arrived);
    }

    /** Measures one answer. */
    final class Answer {
        private final long arrived;
        private long last;

        private Answer(long arrived) {
            this.arrived = arrived;
        }

        /** One more has come. */
        void token() {
            long now = System.nanoTime();
            if (last == 0) {
                firstToken.observe((now - arrived) / 1e9);
            } else {
                interToken.observe((now - last) / 1e9);
            }
            last = now;
        }

        void end(Reply reply) {
            success.labelValues(reply.finish().name().toLowerCase(Locale.ROOT)).inc();
            whole.observe((System.nanoTime() - arrived) / 1e9);
            queued.observe(reply.timings().queue());
            prefill.observe(reply.timings().prefill());
            decode.observe(reply.timings().decode());
            promptTokens.observe(reply.promptTokens().size());
            answerTokens.observe(reply.tokens().size());
        }
    }

    /** The content type of {@link #text}. */
    static String type() {
        return writer().getContentType();
    }

    /** All of it, as Prometheus reads it. */
    byte[] text() {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            writer().write(out, registry.scrape());
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PrometheusTextFormatWriter writer() {
        return PrometheusTextFormatWriter.create();
    }
}
