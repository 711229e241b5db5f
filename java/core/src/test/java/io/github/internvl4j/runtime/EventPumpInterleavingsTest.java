package io.github.internvl4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.internvl4j.error.InternVLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What comes between: in the middle of each step of one thread another thread does the whole of its own, or waits until it may. No event
 * is lost, none comes behind a leaving, and nothing is computed for nobody.
 */
@Timeout(60)
class EventPumpInterleavingsTest {
    private static final NativeRequest REQUEST = NativeRequest.ofText(new int[1], 1, "");

    private final ScriptedRequests requests = new ScriptedRequests();
    private final EventPump pump =
            new EventPump(requests, events -> new Thread()); // the tests do what its thread would
    private final List<RequestEvent> heard = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> others = new ArrayList<>();

    /** Returns when another thread has done it, or can go no further before this one does. */
    private void meanwhile(Runnable body) {
        Thread other = new Thread(body);
        others.add(other);
        other.start();
        while (other.getState() != Thread.State.TERMINATED && other.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    private void awaitOthers() throws InterruptedException {
        for (Thread other : others) {
            other.join();
        }
    }

    private List<Integer> tokens() {
        return heard.stream().map(RequestEvent::token).toList();
    }

    @Test
    void aTokenThatIsThereBeforeItsRequestIsKnownIsHeard() throws Exception {
        requests.onSubmit(() -> meanwhile(() -> pump.deliver(requests.turn())));
        pump.submit(REQUEST, heard::add);
        awaitOthers();
        assertEquals(List.of(1), tokens());
    }

    @Test
    void aFailureThatIsThereBeforeARequestIsKnownEndsIt() throws Exception {
        InternVLException failure = new InternVLException("it");
        requests.onSubmit(() -> meanwhile(() -> pump.failAll(failure)));
        pump.submit(REQUEST, heard::add);
        awaitOthers();
        assertEquals(1, heard.size());
        assertSame(failure, heard.get(0).failure());
        assertEquals(0, requests.running());
    }

    @Test
    void whoLeavesWhileHeIsToldHearsNothingBehindThat() throws Exception {
        AtomicInteger atLeaving = new AtomicInteger(-1);
        long[] id = new long[1];
        id[0] = pump.submit(REQUEST, event -> {
            meanwhile(() -> {
                pump.drop(id[0]);
                atLeaving.set(heard.size());
            });
            heard.add(event);
        });
        pump.deliver(requests.turn());
        awaitOthers();
        assertEquals(heard.size(), atLeaving.get());
        assertEquals(0, requests.running());
        pump.deliver(requests.turn());
        assertEquals(heard.size(), atLeaving.get(), "its cancellation is nobody's to hear");
    }

    @Test
    void whoAsksWhileAFailureIsToldIsAnsweredBehindIt() throws Exception {
        long first = pump.submit(REQUEST, event -> meanwhile(() -> pump.submit(REQUEST, heard::add)));
        pump.failAll(new InternVLException("it"));
        awaitOthers();
        assertEquals(1, requests.running());
        pump.deliver(requests.turn());
        pump.deliver(requests.turn());
        assertEquals(List.of(1, 2), tokens());
        assertNotEquals(first, heard.get(0).request());
    }

    @Test
    void whoCancelsWhileTokensComeHearsThemAndThenTheEnd() {
        long id = pump.submit(REQUEST, heard::add);
        List<RequestEvent> taken = requests.turn();
        pump.cancel(id);
        pump.deliver(taken);
        pump.deliver(requests.turn());
        assertEquals(List.of(1, -1), tokens());
        pump.deliver(requests.turn());
        assertEquals(2, heard.size());
    }

    @Test
    void aModelThatClosesWhileARequestIsHandedOverFailsIt() throws Exception {
        requests.onSubmit(() -> meanwhile(() -> {
            requests.close();
            pump.deliver(requests.turn());
        }));
        pump.submit(REQUEST, heard::add);
        awaitOthers();
        assertEquals(1, heard.size());
        assertEquals(
                "the model was closed", String.valueOf(heard.get(0).failure().getMessage()));
    }
}
