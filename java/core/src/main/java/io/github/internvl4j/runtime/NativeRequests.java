package io.github.internvl4j.runtime;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_event;
import io.github.internvl4j.internal.ivl_events;
import io.github.internvl4j.internal.ivl_model;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a model in the native runtime.
 *
 * @param model its handle
 */
record NativeRequests(Handle<ivl_model> model) implements Requests {
    private static final int POLL_MILLIS = 1_000;

    @Override
    public long submit(NativeRequest request) {
        return model.use(request::submit);
    }

    @Override
    public void cancel(long request) {
        model.useIfOpen(open -> internvl4j.ivl_cancel_request(open, request));
    }

    @Override
    public Reader read() {
        return new NativeReader(model);
    }

    private static final class NativeReader implements Reader {
        private final Handle<ivl_model> model;
        private final ivl_events events = new ivl_events();

        NativeReader(Handle<ivl_model> model) {
            this.model = model;
            NativeLibrary.check(internvl4j.ivl_events_create(events));
        }

        @Override
        public List<RequestEvent> next() {
            model.call(open -> internvl4j.ivl_poll(open, POLL_MILLIS, events));
            long count = internvl4j.ivl_events_count(events);
            List<RequestEvent> next = new ArrayList<>((int) count);
            try (ivl_event event = new ivl_event()) {
                for (long i = 0; i < count; i++) {
                    NativeLibrary.check(internvl4j.ivl_events_get(events, i, event));
                    next.add(converted(i, event));
                }
            }
            return next;
        }

        private RequestEvent converted(long index, ivl_event event) {
            return new RequestEvent(
                    event.request(),
                    event.token(),
                    event.logprob(),
                    end(event.finish()),
                    event.finish() == internvl4j.IVL_FINISH_FAILED ? failure(index) : null,
                    candidates(index, (int) event.top_count()),
                    event.reused(),
                    event.queue_seconds(),
                    event.image_seconds());
        }

        private InternVLException failure(long index) {
            try {
                NativeLibrary.check(internvl4j.ivl_events_failure(events, index));
            } catch (InternVLException failure) {
                return failure;
            } catch (RuntimeException other) { // is that request's alone, too
                return new InternVLException("the request failed: " + other.getMessage(), other);
            }
            throw new IllegalStateException("event " + index + " is no failure");
        }

        private List<TokenLogprob> candidates(long index, int count) {
            if (count == 0) {
                return List.of();
            }
            int[] tokens = new int[count];
            float[] logprobs = new float[count];
            NativeLibrary.check(internvl4j.ivl_events_top(events, index, tokens, logprobs, count, new long[1]));
            TokenLogprob[] found = new TokenLogprob[count];
            for (int i = 0; i < count; i++) {
                found[i] = new TokenLogprob(tokens[i], logprobs[i]);
            }
            return List.of(found);
        }

        @Override
        public void close() {
            internvl4j.ivl_events_free(events);
        }
    }

    private static @Nullable FinishReason end(int finish) {
        return switch (finish) {
            case internvl4j.IVL_FINISH_STOP -> FinishReason.STOP;
            case internvl4j.IVL_FINISH_LENGTH -> FinishReason.LENGTH;
            case internvl4j.IVL_FINISH_CANCELLED -> FinishReason.CANCELLED;
            default -> null;
        };
    }
}
