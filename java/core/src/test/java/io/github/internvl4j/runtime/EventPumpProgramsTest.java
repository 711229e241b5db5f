package io.github.internvl4j.runtime;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/**
 * Threads that ask, cancel and leave, in random programs. Whatever the others do, each hears what it would hear if it were alone: its
 * own events, all of them, in their order, one last one, and none behind a leaving.
 */
public class EventPumpProgramsTest {
    private static final NativeRequest REQUEST = NativeRequest.ofText(new int[1], 1, "");

    private final ScriptedRequests requests = new ScriptedRequests();
    private final EventPump pump =
            new EventPump(requests, events -> new Thread()); // who waits does what its thread would
    private final Object reader = new Object();

    private void turn() {
        synchronized (reader) { // the pump has one reader
            pump.deliver(requests.turn());
        }
    }

    private static List<RequestEvent> heard() {
        return Collections.synchronizedList(new ArrayList<>());
    }

    private void awaitLast(List<RequestEvent> heard) {
        while (heard.isEmpty() || !heard.get(heard.size() - 1).last()) {
            turn();
        }
        turn();
    }

    /** The tokens of an answer. */
    @Operation
    public String ask() {
        List<RequestEvent> heard = heard();
        pump.submit(REQUEST, heard::add);
        awaitLast(heard);
        return heard.stream().map(RequestEvent::token).toList().toString();
    }

    /** Whether a request that is cancelled has the first of its tokens and one end. */
    @Operation
    public boolean cancel() {
        List<RequestEvent> heard = heard();
        long id = pump.submit(REQUEST, heard::add);
        pump.cancel(id);
        awaitLast(heard);
        int tokens = (int) heard.stream().filter(event -> event.token() > 0).count();
        return heard.stream().filter(RequestEvent::last).count() == 1
                && IntStream.range(0, tokens).allMatch(at -> heard.get(at).token() == at + 1);
    }

    /** How many events come behind a leaving. */
    @Operation
    public int leave() {
        List<RequestEvent> heard = heard();
        long id = pump.submit(REQUEST, heard::add);
        pump.drop(id);
        int before = heard.size();
        turn();
        turn();
        return heard.size() - before;
    }

    @Test
    void everybodyHearsWhatIsHeardAlone() {
        new StressOptions()
                .threads(3)
                .actorsPerThread(3)
                .iterations(10)
                .invocationsPerIteration(200)
                .check(EventPumpProgramsTest.class);
    }
}
