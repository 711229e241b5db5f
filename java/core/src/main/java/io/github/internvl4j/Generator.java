package io.github.internvl4j;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Shortage;
import io.github.internvl4j.runtime.InterruptWatcher;
import io.github.internvl4j.runtime.NativeCancellation;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeGeneration;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeSequence;
import io.github.internvl4j.tensor.Tensor;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The generation loop: one for single answers, chats, streams and batches. Requests join while others run, so a batch
 * keeps at most {@code maxBatch} prompts' images and caches at a time.
 */
final class Generator implements AutoCloseable {
    private final NativeModel model;
    private final PromptReader reader;
    private final @Nullable Cancellation cancellation;
    private final NativeCancellation nativeCancellation = new NativeCancellation();
    private final Runnable hook = nativeCancellation::cancel;
    private final NativeGeneration generation;
    private final InterruptWatcher.Watch interrupts;
    private final Map<Integer, Running> running = new LinkedHashMap<>();
    // Stays true, whatever listeners do with this thread's interrupt status.
    private boolean over;

    private record Running(int index, Answer answer, List<NativeFeatures> owned) {
        void free() {
            owned.forEach(NativeFeatures::close);
        }
    }

    /** Cancelled before there was a request. A type of its own: a listener's CancellationException is none of ours. */
    static final class Unbegun extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final CancellationException cancelled;

        Unbegun(CancellationException cancelled) {
            super(cancelled);
            this.cancelled = cancelled;
        }

        CancellationException cancelled() {
            return cancelled;
        }
    }

    Generator(NativeModel model, PromptReader reader, @Nullable Cancellation cancellation) {
        this.model = model;
        this.reader = reader;
        this.cancellation = cancellation;
        if (cancellation != null) {
            cancellation.onCancel(hook);
        }
        interrupts = InterruptWatcher.SHARED.watch(hook);
        try {
            generation = model.newGeneration(nativeCancellation);
        } catch (RuntimeException e) {
            forgetCancellation();
            throw e;
        }
    }

    /**
     * A prompt's images as the decoder sees them, all tiles together; null for none.
     *
     * @throws Unbegun if this is cancelled
     */
    @Nullable NativeFeatures encode(Prompt prompt) {
        if (prompt.images().isEmpty()) {
            return null;
        }
        Tensor pixels = reader.pixels(prompt);
        try {
            return interrupts.during(() -> model.encode(pixels, nativeCancellation, null));
        } catch (CancellationException e) {
            throw new Unbegun(e);
        }
    }

    /**
     * Adds a prompt with its images already encoded.
     *
     * @param index what the sink knows it by
     * @param owned freed with the answer
     * @param thinking whether the answer is parted
     * @throws Unbegun if this is cancelled
     */
    void add(
            int index,
            int[] tokens,
            List<NativeFeatures> images,
            List<NativeFeatures> owned,
            GenerationConfig config,
            ReplyListener listener,
            boolean thinking,
            double visionSeconds,
            @Nullable NativeSequence sequence) {
        Answer answer = new Answer(tokens, config, listener, reader, thinking, visionSeconds);
        var request = new NativeGeneration.Request(tokens, reader.imageToken(), images, reader.stopTokens(config));
        try {
            running.put(generation.add(request, config, sequence, null), new Running(index, answer, owned));
        } catch (CancellationException e) {
            throw new Unbegun(e);
        }
    }

    /**
     * Runs the only request to its end.
     *
     * @throws InternVLException its failure
     */
    Reply run() {
        Reply[] replies = new Reply[1];
        BatchListener one = new BatchListener() {
            @Override
            public void onReply(int index, Reply reply) {
                replies[0] = reply;
            }

            @Override
            public void onFailure(int index, InternVLException failure) {
                throw failure;
            }
        };
        while (!running.isEmpty()) {
            step(one);
        }
        return replies[0];
    }

    /** Runs a batch: what is wrong with one request is its own failure. */
    void run(Iterator<? extends Supplier<BatchRequest>> requests, int together, BatchListener listener) {
        int next = 0;
        while (true) {
            while (running.size() < together && !cancelled() && requests.hasNext()) {
                BatchRequest request = read(next, requests.next(), listener);
                if (request != null) {
                    begin(next, request, listener);
                }
                next++;
            }
            if (running.isEmpty()) {
                break;
            }
            step(listener);
        }
        if (cancelled()) {
            listener.onCancelled(next);
        }
    }

    /** Null if it cannot be had, which the listener hears. */
    private static @Nullable BatchRequest read(int index, Supplier<BatchRequest> supplier, BatchListener listener) {
        try {
            return Objects.requireNonNull(supplier.get(), "its supplier returned null");
        } catch (InternVLException failure) {
            listener.onFailure(index, failure);
        } catch (RuntimeException e) {
            listener.onFailure(index, new PromptException("request " + index + " cannot be read: " + e, e));
        } catch (OutOfMemoryError full) {
            listener.onFailure(index, shortOf(full));
        }
        return null;
    }

    private void begin(int index, BatchRequest request, BatchListener listener) {
        int[] tokens = {};
        try {
            tokens = reader.tokens(request.prompt());
            begin(index, request, tokens);
        } catch (Unbegun e) {
            over = true;
            listener.onReply(index, Answer.unbegun(tokens));
        } catch (ClosedException closed) {
            listener.onFailure(index, closed);
            failAll(closed, listener);
            throw closed;
        } catch (InternVLException failure) {
            listener.onFailure(index, failure);
        } catch (OutOfMemoryError full) {
            listener.onFailure(index, shortOf(full));
        }
    }

    private void begin(int index, BatchRequest request, int[] tokens) {
        long before = System.nanoTime();
        NativeFeatures features = encode(request.prompt());
        List<NativeFeatures> images = features == null ? List.of() : List.of(features);
        double seconds = (System.nanoTime() - before) / 1e9;
        try {
            boolean thinking = request.prompt().thinking();
            add(index, tokens, images, images, request.config(), ReplyListener.none(), thinking, seconds, null);
        } catch (RuntimeException e) {
            images.forEach(NativeFeatures::close);
            throw e;
        }
    }

    private static InsufficientMemoryException shortOf(OutOfMemoryError full) {
        return new InsufficientMemoryException("the request cannot be begun: " + Shortage.of(full), full);
    }

    private void step(BatchListener listener) {
        List<NativeGeneration.Step> steps;
        try {
            if (cancelled()) {
                throw new CancellationException("the thread was interrupted");
            }
            steps = interrupts.during(generation::stepEach);
        } catch (CancellationException e) {
            over = true;
            // What there was is the answer.
            List.copyOf(running.keySet()).forEach(request -> finish(request, FinishReason.CANCELLED, listener));
            return;
        } catch (InternVLException failure) {
            // Nothing goes on: the model was closed.
            failAll(failure, listener);
            throw failure;
        }
        for (NativeGeneration.Step step : steps) {
            Running current = running.get(step.request());
            if (current == null) {
                continue;
            }
            if (step.failed()) {
                fail(step.request(), generation.failure(step.request()), listener);
                continue;
            }
            FinishReason reason = current.answer().accept(generation, step);
            if (reason == null) {
                continue;
            }
            if (step.finish() == null) {
                generation.end(step.request()); // a stop string, which only this side sees
            }
            finish(step.request(), reason, listener);
        }
    }

    private void finish(int request, FinishReason reason, BatchListener listener) {
        Running done = running.remove(request);
        if (done != null) {
            done.free();
            listener.onReply(done.index(), done.answer().finish(reason));
        }
    }

    private void fail(int request, InternVLException failure, BatchListener listener) {
        Running failed = running.remove(request);
        if (failed != null) {
            failed.free();
            listener.onFailure(failed.index(), failure);
        }
    }

    private void failAll(InternVLException failure, BatchListener listener) {
        List.copyOf(running.keySet()).forEach(request -> fail(request, failure, listener));
    }

    private boolean cancelled() {
        return over || Thread.currentThread().isInterrupted() || (cancellation != null && cancellation.isCancelled());
    }

    private void forgetCancellation() {
        interrupts.close();
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
