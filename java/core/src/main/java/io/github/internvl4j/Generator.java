package io.github.internvl4j;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Shortage;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeGrammar;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.runtime.RequestEvent;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One caller's requests, of which there is one, or a batch: hands them to the model's scheduler, which computes them with everybody
 * else's, and makes answers of what comes back. The caller's thread waits here, in Java; when it is interrupted, or the cancellation
 * used, its answers are what came so far, at once: the scheduler ends its requests by itself.
 */
final class Generator implements AutoCloseable {
    private static final long NO_REQUEST = 0;

    private final NativeModel model;
    private final PromptReader reader;
    private final List<RequestListener> listeners;
    private final @Nullable Cancellation cancellation;
    private final Runnable hook = this::wake;
    private final BlockingQueue<RequestEvent> events = new LinkedBlockingQueue<>();
    private final Map<Long, Running> running = new HashMap<>();
    // Stays true, whatever listeners do with this thread's interrupt status.
    private boolean over;

    private record Running(int index, Answer answer, List<NativeFeatures> owned) {
        void free() {
            owned.forEach(NativeFeatures::close);
        }
    }

    /** @param listeners hear of its requests */
    Generator(
            NativeModel model,
            PromptReader reader,
            List<RequestListener> listeners,
            @Nullable Cancellation cancellation) {
        this.model = model;
        this.reader = reader;
        this.listeners = listeners;
        this.cancellation = cancellation;
        if (cancellation != null) {
            cancellation.onCancel(hook);
        }
    }

    /** A prompt's images, all tiles together, to be encoded when they are needed; null for none. */
    @Nullable
    NativeFeatures images(Prompt prompt, GenerationConfig config) {
        return images(prompt, config, prompt.cacheSalt());
    }

    /** The same with another salt. */
    @Nullable
    NativeFeatures images(Prompt prompt, GenerationConfig config, String salt) {
        return prompt.images().isEmpty() ? null : model.features(reader.pixels(prompt), salt, config.adapterUses());
    }

    /**
     * Begins with a prompt.
     *
     * @param index what the listener knows it by
     * @param images in the prompt's order
     * @param owned freed with the answer
     * @param thinking whether the answer is parted
     * @param preparingSeconds what preparing the images took
     * @param salt of the cache
     */
    private void add(
            int index,
            int[] tokens,
            List<NativeFeatures> images,
            List<NativeFeatures> owned,
            GenerationConfig config,
            ReplyListener listener,
            boolean thinking,
            double preparingSeconds,
            String salt) {
        Answer answer = begun(tokens, config, listener, thinking, preparingSeconds);
        int[] stops = reader.stopTokens(config);
        try (NativeGrammar grammar = grammar(config, thinking)) {
            var request = new NativeRequest(
                    tokens,
                    reader.imageToken(),
                    images,
                    stops,
                    config.sampling(),
                    salt,
                    null,
                    grammar,
                    config.adapterUses());
            long id = model.submit(request, events::add);
            running.put(id, new Running(index, answer, owned));
        }
    }

    /** Null if the answer may be any text. */
    private @Nullable NativeGrammar grammar(GenerationConfig config, boolean thinking) {
        String schema = config.jsonSchema();
        if (schema == null) {
            return null;
        }
        Options.require(!thinking, "thinking", true, "false beside a JSON schema: the whole answer is the JSON");
        return model.grammar(schema, reader::tokenBytes);
    }

    /**
     * Answers a prompt, the only one.
     *
     * @param images in the prompt's order; the caller's to close
     * @param thinking whether the answer is parted
     * @param preparingSeconds what preparing the images took
     * @param salt of the cache
     * @throws InternVLException if it fails
     */
    Reply answer(
            int[] tokens,
            List<NativeFeatures> images,
            GenerationConfig config,
            ReplyListener listener,
            boolean thinking,
            double preparingSeconds,
            String salt) {
        listener.onPrompt(tokens.length);
        if (config.beams() > 1) {
            Answer answer = begun(tokens, config, listener, thinking, preparingSeconds);
            try {
                return answer.finish(
                        new BeamGenerator(model, reader, tokens, images, config, salt).run(answer, cancellation));
            } catch (InternVLException failure) {
                answer.fail(failure);
                throw failure;
            } finally {
                answer.abandon();
            }
        }
        add(0, tokens, images, List.of(), config, listener, thinking, preparingSeconds, salt);
        return run();
    }

    private Answer begun(
            int[] tokens, GenerationConfig config, ReplyListener listener, boolean thinking, double preparingSeconds) {
        RequestWatch watch = new RequestWatch(listeners, preparingSeconds);
        return new Answer(tokens, config, listener, reader, thinking, preparingSeconds, watch);
    }

    /** Runs the only request to its end. */
    private Reply run() {
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
            take(one);
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
            take(listener);
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
        try {
            if (request.config().beams() > 1) {
                listener.onReply(index, searched(request));
            } else {
                begin(index, request);
            }
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

    /** By beams, which are a batch themselves: the others go on meanwhile, and are heard of later. */
    private Reply searched(BatchRequest request) {
        Prompt prompt = request.prompt();
        int[] tokens = reader.tokens(prompt);
        try (NativeFeatures features = images(prompt, request.config())) {
            List<NativeFeatures> images = features == null ? List.of() : List.of(features);
            return answer(
                    tokens, images, request.config(), ReplyListener.none(), prompt.thinking(), 0, prompt.cacheSalt());
        }
    }

    private void begin(int index, BatchRequest request) {
        Prompt prompt = request.prompt();
        int[] tokens = reader.tokens(prompt);
        long before = System.nanoTime();
        NativeFeatures features = images(prompt, request.config());
        List<NativeFeatures> images = features == null ? List.of() : List.of(features);
        double seconds = (System.nanoTime() - before) / 1e9;
        ReplyListener nobody = ReplyListener.none();
        try {
            add(
                    index,
                    tokens,
                    images,
                    images,
                    request.config(),
                    nobody,
                    prompt.thinking(),
                    seconds,
                    prompt.cacheSalt());
        } catch (RuntimeException | Error e) {
            images.forEach(NativeFeatures::close);
            throw e;
        }
    }

    private static InsufficientMemoryException shortOf(OutOfMemoryError full) {
        return new InsufficientMemoryException("the request cannot be begun: " + Shortage.of(full), full);
    }

    /** Waits for the next event, and does what it says. */
    private void take(BatchListener listener) {
        if (cancelled()) {
            cancelAll(listener);
            return;
        }
        RequestEvent event = next();
        Running current = event == null ? null : running.get(event.request());
        if (event == null || current == null) {
            return; // to look again who is cancelled, or of a request that met a stop string, which only this side sees
        }
        if (event.failure() != null) {
            fail(event.request(), event.failure(), listener);
            if (event.failure() instanceof ClosedException closed) {
                failAll(closed, listener);
                throw closed;
            }
            return;
        }
        FinishReason reason = current.answer().accept(event);
        if (reason == null) {
            return;
        }
        if (!event.last()) {
            model.drop(event.request());
        }
        finish(event.request(), reason, listener);
    }

    /** Null if the thread is interrupted. */
    private @Nullable RequestEvent next() {
        try {
            return events.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the caller's to see, and this class's at once
            return null;
        }
    }

    /** From any thread. */
    private void wake() {
        events.add(RequestEvent.token(NO_REQUEST, -1, null));
    }

    /** What there was is the answer. */
    private void cancelAll(BatchListener listener) {
        over = true;
        for (long request : List.copyOf(running.keySet())) {
            model.drop(request);
            finish(request, FinishReason.CANCELLED, listener);
        }
    }

    private void finish(long request, FinishReason reason, BatchListener listener) {
        Running done = forget(request);
        if (done != null) {
            listener.onReply(done.index(), done.answer().finish(reason));
        }
    }

    private void fail(long request, InternVLException failure, BatchListener listener) {
        Running failed = forget(request);
        if (failed != null) {
            failed.answer().fail(failure);
            listener.onFailure(failed.index(), failure);
        }
    }

    private @Nullable Running forget(long request) {
        Running ended = running.remove(request);
        if (ended != null) {
            ended.free();
        }
        return ended;
    }

    private void failAll(InternVLException failure, BatchListener listener) {
        List.copyOf(running.keySet()).forEach(request -> fail(request, failure, listener));
    }

    private boolean cancelled() {
        return over || Thread.currentThread().isInterrupted() || (cancellation != null && cancellation.isCancelled());
    }

    @Override
    public void close() {
        if (cancellation != null) {
            cancellation.forget(hook);
        }
        for (long request : List.copyOf(running.keySet())) {
            model.drop(request);
            Running left = forget(request);
            if (left != null) {
                left.answer().abandon();
            }
        }
    }
}
