package io.github.internvl4j.server;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.Chunk;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.server.openai.JsonText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** One request on its way from the queue to its last event. It ends when its client leaves, wherever it is. */
final class Answering implements Admission.Job {
    private final Served served;
    private final Question question;
    private final AnswerForm form;
    private final Exchange exchange;
    private final Executor threads;
    private final Cancellation cancellation = new Cancellation();
    private final Future<?> deadline;
    private volatile boolean expired;
    private boolean streaming;

    /**
     * @param threads has one for each choice
     * @param clock ends what takes too long
     */
    Answering(
            Served served,
            Question question,
            AnswerForm form,
            Exchange exchange,
            Duration longest,
            Executor threads,
            ScheduledExecutorService clock) {
        this.served = served;
        this.question = question;
        this.form = form;
        this.exchange = exchange;
        this.threads = threads;
        deadline = clock.schedule(this::expire, longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void expire() {
        expired = true;
        cancellation.cancel();
    }

    /** The client has left, or the server ends. */
    void cancel() {
        deadline.cancel(false);
        cancellation.cancel();
    }

    @Override
    public void refuse(ApiError error) {
        deadline.cancel(false);
        exchange.fail(error);
    }

    @Override
    public void run() {
        try {
            requireTime();
            answer(question.asked().get());
        } catch (Throwable failure) { // whatever it is: somebody waits for an answer
            fail(failure);
            served.metrics().failed();
        } finally {
            deadline.cancel(false);
        }
    }

    private void requireTime() {
        if (cancellation.isCancelled()) {
            throw expired ? ApiError.expired() : ApiError.draining();
        }
    }

    private void fail(Throwable failure) {
        if (streaming) {
            exchange.event("error", JsonText.text(ApiError.of(failure).body()));
            exchange.endEvents();
        } else {
            exchange.fail(failure);
        }
    }

    private void answer(Question.Asked asked) {
        List<Reply> replies = choices(asked);
        if (!streaming) {
            exchange.json(200, form.whole(replies));
            return;
        }
        if (question.usage()) {
            send(form.usage(replies));
        }
        exchange.event(null, "[DONE]");
        exchange.endEvents();
    }

    private void begin() {
        streaming = true;
        exchange.beginEvents();
        for (int i = 0; i < question.choices(); i++) {
            Map<String, Object> first = form.first(i);
            if (first != null) {
                send(form.chunk(first));
            }
        }
    }

    private void send(Map<String, Object> data) {
        exchange.event(null, JsonText.text(data));
    }

    /** The others begin when the first one has computed the prompt, which then is in the cache for them. */
    private List<Reply> choices(Question.Asked asked) {
        List<CompletableFuture<Reply>> others = new ArrayList<>();
        Runnable beginOthers = () -> {
            for (int i = others.size() + 1; i < question.choices(); i++) {
                int choice = i;
                others.add(CompletableFuture.supplyAsync(() -> choice(asked, choice, () -> {}, () -> {}), threads));
            }
        };
        try {
            List<Reply> replies = new ArrayList<>();
            Runnable beginStream = question.stream() ? this::begin : () -> {};
            replies.add(choice(asked, 0, beginStream, beginOthers));
            beginOthers.run();
            others.forEach(other -> replies.add(other.join()));
            return replies;
        } catch (RuntimeException | Error failure) {
            cancellation.cancel();
            CompletableFuture.allOf(others.toArray(new CompletableFuture<?>[0]))
                    .exceptionally(also -> null)
                    .join();
            throw failure;
        }
    }

    /**
     * @param accepted run when the prompt can be asked: until then what is wrong is an error, not an event
     * @param begun run before each chunk
     */
    private Reply choice(Question.Asked asked, int choice, Runnable accepted, Runnable begun) {
        Metrics.Answer measured = served.metrics().answer(exchange.arrived());
        ReplyListener listener = new ReplyListener() {
            @Override
            public void onPrompt(int tokens) {
                accepted.run();
            }

            @Override
            public void onChunk(Chunk chunk) {
                measured.token();
                begun.run();
                tell(choice, chunk);
            }
        };
        Reply reply = asked.ask(question.config(choice), listener, cancellation);
        measured.end(reply);
        if (reply.finish() == FinishReason.CANCELLED) {
            throw expired ? ApiError.expired() : ApiError.draining(); // or the client has left, and hears nothing
        }
        if (streaming) {
            Map<String, Object> rest = form.rest(choice, reply);
            if (rest != null) {
                send(form.chunk(rest));
            }
            send(form.chunk(form.last(choice, reply.finish())));
        }
        return reply;
    }

    private void tell(int choice, Chunk chunk) {
        boolean token = form.hasLogprobs() && chunk.token() >= 0;
        String text = form.tellsText() ? chunk.text() : "";
        if (!streaming || text.isEmpty() && !token) {
            return;
        }
        Object logprobs = token
                ? form.logprobs(
                        List.of(new TokenLogprob(chunk.token(), chunk.logprob())), List.of(chunk.alternatives()))
                : null;
        send(form.chunk(form.text(choice, text, logprobs)));
    }
}
