package io.github.internvl4j;

import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.runtime.NativeCancellation;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeGeneration;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeSequence;
import io.github.internvl4j.tensor.Tensor;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The generation loop: one for single answers, chats, streams and batches. Requests join while others run, so a batch
 * keeps at most {@code maxBatch} prompts' pictures and caches at a time.
 */
final class Generator implements AutoCloseable {
    private final NativeModel model;
    private final PromptReader reader;
    private final @Nullable Cancellation cancellation;
    private final NativeCancellation nativeCancellation = new NativeCancellation();
    private final Runnable hook = nativeCancellation::cancel;
    private final NativeGeneration generation;
    private final Map<Integer, Running> running = new HashMap<>();

    private record Running(int index, Answer answer, List<NativeFeatures> owned) {
        void free() {
            owned.forEach(NativeFeatures::close);
        }
    }

    /** What becomes of the answers. */
    interface Sink {
        void onReply(int index, Reply reply);
    }

    Generator(NativeModel model, PromptReader reader, @Nullable Cancellation cancellation) {
        this.model = model;
        this.reader = reader;
        this.cancellation = cancellation;
        if (cancellation != null) {
            cancellation.onCancel(hook);
        }
        try {
            generation = model.newGeneration(nativeCancellation);
        } catch (CancellationException | InternVLException e) {
            forgetCancellation();
            throw e;
        }
    }

    /** Pictures as the decoder sees them; null for none. */
    @Nullable NativeFeatures encode(List<Image> images) {
        if (images.isEmpty()) {
            return null;
        }
        Tensor pixels = reader.pixels(images);
        return model.encode(pixels, nativeCancellation, null);
    }

    /**
     * Adds a prompt with its pictures already encoded.
     *
     * @param index what the sink knows it by
     * @param owned freed with the answer
     */
    void add(
            int index,
            int[] tokens,
            List<NativeFeatures> pictures,
            List<NativeFeatures> owned,
            GenerationConfig config,
            ReplyListener listener,
            double visionSeconds,
            @Nullable NativeSequence sequence) {
        Answer answer = new Answer(tokens, config, listener, reader, visionSeconds);
        var request = new NativeGeneration.Request(tokens, reader.imageToken(), pictures, reader.stopTokens(config));
        var sampling = new NativeGeneration.Sampling(
                config.temperature(),
                config.topK(),
                config.topP(),
                config.repetitionPenalty(),
                config.seed(),
                config.maxNewTokens(),
                config.topLogprobs());
        running.put(generation.add(request, sampling, sequence, null), new Running(index, answer, owned));
    }

    /** Runs until every request is over. */
    void run(Sink sink) {
        while (!running.isEmpty()) {
            step(sink);
        }
    }

    /** Runs a batch: a request that cannot be read or begun fails alone. */
    void run(Iterator<? extends Supplier<BatchRequest>> requests, int together, BatchListener listener) {
        int next = 0;
        while (true) {
            while (running.size() < together && requests.hasNext() && !cancelled()) {
                int index = next++;
                try {
                    begin(index, requests.next().get(), listener);
                } catch (InternVLException failure) {
                    listener.onFailure(index, failure);
                } catch (OutOfMemoryError full) {
                    listener.onFailure(
                            index, new InsufficientMemoryException("the Java heap is full: " + full.getMessage(), full));
                }
            }
            if (running.isEmpty()) {
                return;
            }
            step(listener::onReply);
        }
    }

    private void begin(int index, BatchRequest request, BatchListener listener) {
        int[] tokens = reader.tokens(request.prompt());
        long before = System.nanoTime();
        NativeFeatures features;
        try {
            features = encode(request.prompt().images());
        } catch (CancellationException e) {
            Answer unbegun = new Answer(tokens, request.config(), ReplyListener.none(), reader, 0);
            listener.onReply(index, unbegun.finish(FinishReason.CANCELLED));
            return;
        }
        List<NativeFeatures> pictures = features == null ? List.of() : List.of(features);
        double seconds = (System.nanoTime() - before) / 1e9;
        try {
            add(index, tokens, pictures, pictures, request.config(), ReplyListener.none(), seconds, null);
        } catch (RuntimeException e) {
            pictures.forEach(NativeFeatures::close);
            throw e;
        }
    }

    private void step(Sink sink) {
        List<NativeGeneration.Step> steps;
        try {
            if (cancelled()) {
                throw new CancellationException("the thread was interrupted");
            }
            steps = generation.step();
        } catch (CancellationException e) {
            // What there was is the answer.
            List.copyOf(running.keySet()).forEach(request -> finish(request, FinishReason.CANCELLED, sink));
            return;
        }
        for (NativeGeneration.Step step : steps) {
            Running current = running.get(step.request());
            if (current == null) {
                continue;
            }
            FinishReason reason = current.answer().accept(generation, step);
            if (reason == null) {
                continue;
            }
            if (step.end() == NativeGeneration.End.NONE) {
                generation.end(step.request()); // a stop string, which only this side sees
            }
            finish(step.request(), reason, sink);
        }
    }

    private void finish(int request, FinishReason reason, Sink sink) {
        Running done = running.remove(request);
        if (done != null) {
            done.free();
            sink.onReply(done.index(), done.answer().finish(reason));
        }
    }

    private boolean cancelled() {
        return Thread.currentThread().isInterrupted() || (cancellation != null && cancellation.isCancelled());
    }

    private void forgetCancellation() {
        if (cancellation != null) {
            cancellation.forget(hook);
        }
        nativeCancellation.close();
    }

    @Override
    public void close() {
        generation.close();
        running.values().forEach(Running::free);
        running.clear();
        forgetCancellation();
    }
}
