package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A handler that keeps what it was told. */
class Streamed implements StreamingChatResponseHandler {
    final List<String> parts = new CopyOnWriteArrayList<>();
    final List<Throwable> errors = new CopyOnWriteArrayList<>();
    final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final CompletableFuture<ChatResponse> response = new CompletableFuture<>();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    @Override
    public void onPartialResponse(String part) {
        threads.add(Thread.currentThread());
        parts.add(part);
    }

    @Override
    public void onCompleteResponse(ChatResponse whole) {
        threads.add(Thread.currentThread());
        response.complete(whole);
    }

    @Override
    public void onError(Throwable error) {
        threads.add(Thread.currentThread());
        errors.add(error);
        failure.complete(error);
    }

    ChatResponse response() throws Exception {
        return response.get(60, TimeUnit.SECONDS);
    }

    Throwable failure() throws Exception {
        return failure.get(60, TimeUnit.SECONDS);
    }

    boolean isCompleted() {
        return response.isDone();
    }

    String text() {
        return String.join("", parts);
    }
}
