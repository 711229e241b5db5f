package io.github.internvl4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.TestData;
import io.github.internvl4j.error.InternVLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Events that cannot be brought: everybody hears of it, and nothing goes on for nobody. */
class EventPumpTest {
    private static final NativeRequest REQUEST = NativeRequest.ofText(new int[1], 1, "");

    /** Its thread is the test's. */
    private static EventPump pump(ScriptedRequests requests) {
        return new EventPump(requests, events -> new Thread());
    }

    private static RequestEvent next(BlockingQueue<RequestEvent> events) throws InterruptedException {
        RequestEvent event = events.poll(60, TimeUnit.SECONDS);
        assertNotNull(event, "nothing is heard");
        return event;
    }

    @Test
    void aFailureIsHeardByAllAndEndsWhatIsComputed() {
        ScriptedRequests requests = new ScriptedRequests();
        EventPump pump = pump(requests);
        List<RequestEvent> first = new ArrayList<>();
        List<RequestEvent> second = new ArrayList<>();
        pump.submit(REQUEST, first::add);
        pump.submit(REQUEST, second::add);
        pump.deliver(requests.turn());
        InternVLException failure = new InternVLException("it");
        pump.failAll(failure);
        assertEquals(0, requests.running());
        pump.deliver(requests.turn());
        assertEquals(2, first.size());
        assertSame(failure, first.get(1).failure());
        assertEquals(
                first.stream().map(RequestEvent::failure).toList(),
                second.stream().map(RequestEvent::failure).toList());
    }

    @Test
    void whoCannotBeToldDoesNotKeepTheOthersFromHearing() {
        EventPump pump = pump(new ScriptedRequests());
        List<RequestEvent> heard = new ArrayList<>();
        OutOfMemoryError full = new OutOfMemoryError("no room for an event");
        for (int i = 0; i < 3; i++) {
            boolean deaf = i == 1;
            pump.submit(REQUEST, event -> {
                if (deaf) {
                    throw full;
                }
                heard.add(event);
            });
        }
        InternVLException failure = new InternVLException("it");
        pump.failAll(failure);
        assertEquals(2, heard.size());
        assertSame(full, failure.getSuppressed()[0]);
    }

    @Test
    void anEndThatCouldNotBeToldIsHeardAsAFailure() throws Exception {
        EventPump pump = new EventPump(new ScriptedRequests(), EventPump::daemon);
        BlockingQueue<RequestEvent> heard = new LinkedBlockingQueue<>();
        pump.submit(REQUEST, event -> {
            if (event.end() == FinishReason.LENGTH) {
                throw new OutOfMemoryError("no room for an event");
            }
            heard.add(event);
        });
        while (!next(heard).last()) {
            // Its tokens.
        }
        pump.submit(REQUEST, heard::add);
        assertEquals(1, next(heard).token(), "the next request begins anew");
    }

    @Test
    void nothingIsComputedForThoseWhoHeardOfAFailure() throws Exception {
        try (NativeModel model = NativeModel.load(
                        TestData.root().resolve("hermes-d128"),
                        LoadOptions.defaults().threads(1));
                NativeAnswer other = model.submit(NativeRequest.ofText(new int[600], 3_000, ""))) {
            other.next();
            model.submit(NativeRequest.ofText(new int[1], 3_000, ""), event -> {
                throw new IllegalStateException("a mistake");
            });
            InternVLException heard = null;
            while (heard == null) {
                try {
                    other.next();
                } catch (InternVLException failure) {
                    heard = failure;
                }
            }
            assertTrue(String.valueOf(heard.getMessage()).contains("a mistake"), heard.getMessage());
            long tokens = model.counts().newTokens();
            while (model.counts().running() + model.counts().waiting() > 0) {
                Thread.sleep(1);
            }
            assertTrue(model.counts().newTokens() < tokens + 500, "they went on to their ends");
        }
    }
}
