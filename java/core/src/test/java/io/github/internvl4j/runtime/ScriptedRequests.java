package io.github.internvl4j.runtime;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.error.ClosedException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A scheduler without a model: each of its turns is one token for every request, its number in the answer. */
final class ScriptedRequests implements Requests {
    private static final int MOST_TOKENS = 3;

    private final Map<Long, Integer> tokens = new TreeMap<>(); // of the requests that run
    private final List<RequestEvent> events = new ArrayList<>();
    private Runnable onSubmit = () -> {};
    private long last;
    private boolean closed;

    /** Runs in the middle of a submission: the request goes on, and who submits has not its number yet. */
    void onSubmit(Runnable body) {
        onSubmit = body;
    }

    @Override
    public long submit(NativeRequest request) {
        long id = begin();
        onSubmit.run();
        return id;
    }

    private synchronized long begin() {
        if (closed) {
            throw closed();
        }
        tokens.put(++last, 0);
        return last;
    }

    @Override
    public synchronized void cancel(long request) {
        if (tokens.remove(request) != null) {
            events.add(RequestEvent.token(request, -1, FinishReason.CANCELLED));
        }
    }

    /** Requests that go on. */
    synchronized int running() {
        return tokens.size();
    }

    /** As a model's: what runs fails, and behind that comes nothing. */
    synchronized void close() {
        closed = true;
        tokens.keySet().forEach(request -> events.add(RequestEvent.failed(request, closed())));
        tokens.clear();
    }

    private static ClosedException closed() {
        return new ClosedException("the model was closed");
    }

    /** Computes a turn. Returns what there is to tell, to be told by whoever called. */
    synchronized List<RequestEvent> turn() {
        if (closed && events.isEmpty()) {
            throw closed();
        }
        tokens.replaceAll((request, token) -> token + 1);
        Iterator<Map.Entry<Long, Integer>> each = tokens.entrySet().iterator();
        while (each.hasNext()) {
            Map.Entry<Long, Integer> request = each.next();
            boolean ends = request.getValue() == MOST_TOKENS;
            events.add(RequestEvent.token(request.getKey(), request.getValue(), ends ? FinishReason.LENGTH : null));
            if (ends) {
                each.remove();
            }
        }
        List<RequestEvent> taken = List.copyOf(events);
        events.clear();
        return taken;
    }

    @Override
    public Reader read() {
        return new Reader() {
            @Override
            public List<RequestEvent> next() {
                return turn();
            }

            @Override
            public void close() {}
        };
    }
}
