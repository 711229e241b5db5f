package io.github.internvl4j.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.Chunk;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import java.lang.System.Logger.Level;
import java.util.Objects;

/** One answer on its way to its handler. */
final class StreamedAnswer implements StreamingHandle {
    private static final System.Logger LOG = System.getLogger("io.github.internvl4j.langchain4j");

    private final InternVL model;
    private final StreamingChatResponseHandler handler;
    private final Cancellation cancellation = new Cancellation();
    private final PartialResponseContext context = new PartialResponseContext(this);

    StreamedAnswer(InternVL model, StreamingChatResponseHandler handler) {
        this.model = model;
        this.handler = Objects.requireNonNull(handler, "handler");
    }

    /** Asks, without waiting and without throwing. */
    void begin(ChatRequest request, InternVLChatOptions options) {
        try {
            options.executor().execute(() -> answer(request, options));
        } catch (RuntimeException | OutOfMemoryError noThread) {
            fail(Failures.of(noThread));
        }
    }

    /** The thread may be one that others share: nothing is thrown from here. */
    private void answer(ChatRequest request, InternVLChatOptions options) {
        try {
            Conversation conversation = Conversation.of(request, options.config());
            ReplyListener listener = conversation.calls() ? ReplyListener.none() : this::tell;
            Reply reply = model.generate(conversation.prompt(), conversation.config(), listener, cancellation);
            end(conversation.response(reply));
        } catch (Throwable failure) { // of a handler in a language without checked exceptions, too
            fail(Failures.of(failure));
        }
    }

    /** A call is told whole: before its end nobody could execute it. */
    private void end(ChatResponse response) {
        for (ToolExecutionRequest call : response.aiMessage().toolExecutionRequests()) {
            if (!isCancelled()) {
                heard(() -> handler.onCompleteToolCall(new CompleteToolCall(0, call)));
            }
        }
        if (!isCancelled()) {
            heard(() -> handler.onCompleteResponse(response));
        }
    }

    private void tell(Chunk chunk) {
        // The handler may have cancelled when it took the chunk before; and a character may be incomplete yet.
        if (!isCancelled() && !chunk.text().isEmpty()) {
            heard(() -> handler.onPartialResponse(new PartialResponse(chunk.text()), context));
        }
    }

    /** What the handler throws is its own to hear of, and no reason to end the answer. An error is. */
    private void heard(Runnable call) {
        try {
            call.run();
        } catch (Exception thrown) {
            fail(thrown);
        }
    }

    private void fail(Throwable failure) {
        if (isCancelled()) {
            LOG.log(Level.DEBUG, "after its cancellation", failure);
            return;
        }
        try {
            handler.onError(failure);
        } catch (Throwable thrown) {
            LOG.log(
                    Level.WARNING,
                    "onError of a handler threw; what it was told of is suppressed",
                    suppressing(thrown, failure));
        }
    }

    private static Throwable suppressing(Throwable thrown, Throwable told) {
        if (thrown != told) { // nothing suppresses itself
            thrown.addSuppressed(told);
        }
        return thrown;
    }

    @Override
    public void cancel() {
        cancellation.cancel();
    }

    @Override
    public boolean isCancelled() {
        return cancellation.isCancelled();
    }
}
