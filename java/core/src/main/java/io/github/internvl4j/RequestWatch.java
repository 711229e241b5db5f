package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Looks on while a request is answered, for those who listen at its beginning. Where nobody does, it looks at no clock. */
final class RequestWatch {
    private final List<RequestListener> listeners;
    private final LongStream.Builder tokens = LongStream.builder();
    private final long began;
    private boolean over;

    /** @param preparingSeconds how long ago the request came */
    RequestWatch(List<RequestListener> listeners, double preparingSeconds) {
        this.listeners = List.copyOf(listeners);
        began = this.listeners.isEmpty() ? 0 : System.nanoTime() - (long) (preparingSeconds * 1e9);
    }

    /** One more has come. */
    void token() {
        if (!listeners.isEmpty()) {
            tokens.add(System.nanoTime() - began);
        }
    }

    /** The request is over with this, unless it was before. */
    void end(
            @Nullable FinishReason finish,
            @Nullable InternVLException failure,
            int promptTokens,
            long reusedTokens,
            double queue,
            double vision) {
        if (over || listeners.isEmpty()) {
            return;
        }
        over = true;
        double whole = (System.nanoTime() - began) / 1e9;
        RequestReport report = new RequestReport(
                finish,
                failure,
                promptTokens,
                reusedTokens,
                queue,
                vision,
                whole,
                tokens.build().toArray());
        listeners.forEach(listener -> tell(listener, report));
    }

    private static void tell(RequestListener listener, RequestReport report) {
        try {
            listener.onEnd(report);
        } catch (RuntimeException mistake) {
            System.getLogger("io.github.internvl4j")
                    .log(Level.WARNING, "a listener of requests failed, which changes no answer", mistake);
        }
    }
}
