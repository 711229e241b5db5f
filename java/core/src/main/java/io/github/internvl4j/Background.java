package io.github.internvl4j;

import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.host.Shortage;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * Answers that are computed while their callers go on. This is the one place that knows on which thread: who takes its place keeps
 * what {@link #begin} promises.
 */
final class Background {
    /** A question that is ready to be asked. */
    interface Question {
        /**
         * Asks, and returns with the answer.
         *
         * @param begun told when nobody else's question can come before this one any more
         */
        Reply ask(ReplyListener listener, Cancellation cancellation, Runnable begun);
    }

    /** Hears of an answer: of its chunks, then once how it ended. */
    interface Sink extends ReplyListener {
        void onReply(Reply reply);

        void onFailure(Throwable failure);
    }

    private Background() {}

    /** Returns when the question has begun, or failed; it goes on until it is answered, or the cancellation is used. */
    static void begin(Question question, Cancellation cancellation, Sink sink) {
        CountDownLatch begun = new CountDownLatch(1);
        Thread thread = new Thread(() -> answer(question, cancellation, sink, begun::countDown), "internvl4j-answer");
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            sink.onFailure(new InsufficientMemoryException(
                    "the question cannot be asked: " + Shortage.of(noThread), noThread));
            return;
        }
        await(begun);
    }

    private static void answer(Question question, Cancellation cancellation, Sink sink, Runnable begun) {
        try {
            sink.onReply(question.ask(sink, cancellation, begun));
        } catch (RuntimeException | Error failure) {
            sink.onFailure(failure); // whoever waits for the answer is there to hear it
        } finally {
            begun.run();
        }
    }

    /** It takes a moment only; an interrupt is kept for who looks for it. */
    private static void await(CountDownLatch begun) {
        boolean interrupted = false;
        while (true) {
            try {
                begun.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The reply, once it is there. Whoever completes the future before, be it by cancelling it, ends the answer. */
    static CompletableFuture<Reply> future(Question question) {
        CompletableFuture<Reply> future = new CompletableFuture<>();
        Cancellation cancellation = new Cancellation();
        CompletableFuture<Reply> ignored = future.whenComplete((reply, failure) -> cancellation.cancel());
        begin(question, cancellation, new Sink() {
            @Override
            public void onChunk(Chunk chunk) {}

            @Override
            public void onReply(Reply reply) {
                future.complete(reply);
            }

            @Override
            public void onFailure(Throwable failure) {
                future.completeExceptionally(failure);
            }
        });
        return future;
    }
}
