package io.github.internvl4j;

import io.github.internvl4j.host.Resource;
import java.lang.ref.Reference;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * An answer as it is generated, chunk by chunk, for a loop:
 *
 * <pre>{@code
 * try (ReplyStream stream = chat.stream("Please describe the image in detail.", image)) {
 *     for (Chunk chunk : stream) {
 *         System.out.print(chunk.text());
 *     }
 *     FinishReason finish = stream.reply().finish();
 * }
 * }</pre>
 *
 * <p>The answer is generated whether somebody reads on or not; {@link #close} ends it. What goes wrong is thrown by the loop, behind
 * the chunks that came before. Interrupting the thread that waits for a chunk ends the answer too, and its interrupt status stays
 * set. A stream that is forgotten before its end is ended when it is garbage, and logged as a leak.
 *
 * <p>To be read by one thread; {@link #close} and {@link #reply} may come from any.
 */
public final class ReplyStream implements Iterable<Chunk>, AutoCloseable {
    private final Inbox inbox = new Inbox();
    private final Cancellation cancellation = new Cancellation();
    private final Resource owned;
    private boolean iterated;
    private volatile boolean closed;

    /** Asks. */
    ReplyStream(Background.Question question) {
        owned = new Resource(this, "the stream of an answer", cancellation::cancel);
        Background.begin(question, cancellation, inbox);
    }

    /**
     * The chunks, as they come.
     *
     * @throws IllegalStateException if they were asked for before: a chunk is there once
     */
    @Override
    public synchronized Iterator<Chunk> iterator() {
        if (iterated) {
            throw new IllegalStateException(
                    "the stream of an answer can be iterated once; reply() has the whole answer");
        }
        iterated = true;
        return new Chunks();
    }

    /**
     * The whole answer. Waits for its end; what was not read yet can be read afterwards.
     *
     * @return the reply; with what there was and {@link FinishReason#CANCELLED} if it was ended early
     */
    public Reply reply() {
        try {
            return inbox.reply(cancellation);
        } finally {
            owned.close();
        }
    }

    /**
     * Ends the answer if it is not over, and waits for that, no longer than a layer takes: then the chat can be asked again. A loop
     * over the chunks ends. Idempotent.
     */
    @Override
    public void close() {
        closed = true;
        owned.close();
        inbox.awaitEnd(cancellation);
    }

    /** Holds on to the stream, which would otherwise be garbage while a loop over it still runs. */
    private final class Chunks implements Iterator<Chunk> {
        private @Nullable Chunk next;

        @Override
        public boolean hasNext() {
            try {
                if (next == null && !closed) {
                    next = inbox.take(cancellation);
                    if (next == null) {
                        owned.close();
                    }
                }
                return next != null && !closed;
            } catch (RuntimeException | Error failure) {
                owned.close();
                throw failure;
            } finally {
                Reference.reachabilityFence(ReplyStream.this);
            }
        }

        @Override
        public Chunk next() {
            Chunk chunk = hasNext() ? next : null;
            if (chunk == null) {
                throw new NoSuchElementException("the answer is over");
            }
            next = null;
            return chunk;
        }
    }
}
