package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelErrorContext;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A listener that keeps what it was told. */
final class Listened implements ChatModelListener {
    final List<ChatModelRequestContext> requests = new CopyOnWriteArrayList<>();
    final List<ChatModelResponseContext> responses = new CopyOnWriteArrayList<>();
    final List<ChatModelErrorContext> errors = new CopyOnWriteArrayList<>();

    @Override
    public void onRequest(ChatModelRequestContext context) {
        requests.add(context);
    }

    @Override
    public void onResponse(ChatModelResponseContext context) {
        responses.add(context);
    }

    @Override
    public void onError(ChatModelErrorContext context) {
        errors.add(context);
    }
}
