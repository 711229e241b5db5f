package io.github.internvl4j.hub;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An answer's bytes as they come. The client's own stream would wait forever for a hub that has fallen silent; this one waits for
 * so long and no longer, and an interrupt ends the wait.
 */
final class TimedBody implements HttpResponse.BodySubscriber<TimedBody>, AutoCloseable {
    private final Duration patience;
    // One batch at a time is asked for, so that a slow disk does not fill the memory.
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Deque<ByteBuffer> ready = new ArrayDeque<>();
    private final CompletableFuture<Flow.Subscription> subscribed = new CompletableFuture<>();
    private boolean ended;

    /** What came: bytes, the end (neither), or why there is none. */
    private record Event(
            @Nullable List<ByteBuffer> bytes, @Nullable Throwable failure) {}

    /** @param patience the longest wait for the next bytes */
    TimedBody(Duration patience) {
        this.patience = patience;
    }

    @Override
    public CompletionStage<TimedBody> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        if (!subscribed.complete(subscription)) {
            subscription.cancel();
            return;
        }
        subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        events.add(new Event(bytes, null));
    }

    @Override
    public void onError(Throwable failure) {
        events.add(new Event(null, failure));
    }

    @Override
    public void onComplete() {
        events.add(new Event(null, null));
    }

    /**
     * The next bytes, or null at the end.
     *
     * @throws IOException if the connection was cut, or nothing came for too long
     */
    @Nullable
    ByteBuffer next() throws IOException, InterruptedException {
        while (ready.isEmpty() && !ended) {
            take();
        }
        return ready.poll();
    }

    private void take() throws IOException, InterruptedException {
        Event event = events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        if (event == null) {
            throw new HttpTimeoutException("nothing came for " + patience.toSeconds() + " s");
        }
        if (event.failure() != null) {
            throw event.failure() instanceof IOException cut ? cut : new IOException(event.failure());
        }
        if (event.bytes() == null) {
            ended = true;
            return;
        }
        event.bytes().stream().filter(ByteBuffer::hasRemaining).forEach(ready::add);
        var unused = subscribed.thenAccept(subscription -> subscription.request(1));
    }

    /** Nothing more is wanted. */
    @Override
    public void close() {
        var unused = subscribed.thenAccept(Flow.Subscription::cancel);
    }
}
