package io.github.internvl4j.cli.traffic;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Sends requests at their times, whether earlier ones are answered or not, and notes when tokens arrive. */
public final class Traffic {
    private static final double NANOS = 1e9;

    /** What one request saw. */
    public static final class Seen {
        private final long began;
        private final List<Long> tokens = new ArrayList<>();
        private long ended;
        private boolean failed;

        private Seen(long began) {
            this.began = began;
        }

        private synchronized void token() {
            tokens.add(System.nanoTime());
        }

        private synchronized void end(boolean whole) {
            ended = System.nanoTime();
            failed = !whole;
        }

        /** Whether there was no whole answer. */
        public synchronized boolean failed() {
            return failed;
        }

        synchronized int tokens() {
            return tokens.size();
        }

        synchronized long ended() {
            return ended;
        }

        /** Seconds to the first token; NaN if there was none. */
        synchronized double firstToken() {
            return tokens.isEmpty() ? Double.NaN : (tokens.get(0) - began) / NANOS;
        }

        /** Seconds between tokens. */
        synchronized List<Double> gaps() {
            List<Double> gaps = new ArrayList<>();
            for (int i = 1; i < tokens.size(); i++) {
                gaps.add((tokens.get(i) - tokens.get(i - 1)) / NANOS);
            }
            return gaps;
        }
    }

    private Traffic() {}

    /**
     * The same requests, but not at their times: each client sends the next one when its last one has ended.
     *
     * @param clients that many are answered at a time
     */
    public static TrafficReport inTurn(List<Arrivals.Arrival> arrivals, Target target, int clients) {
        List<Seen> all = new ArrayList<>();
        Iterator<Arrivals.Arrival> left = arrivals.iterator();
        long began = System.nanoTime();
        List<CompletableFuture<?>> ends = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            ends.add(next(left, target, all));
        }
        return report(all, ends, began);
    }

    private static CompletableFuture<?> next(Iterator<Arrivals.Arrival> left, Target target, List<Seen> all) {
        Arrivals.Arrival arrival;
        Seen seen;
        synchronized (all) {
            if (!left.hasNext()) {
                return CompletableFuture.completedFuture(null);
            }
            arrival = left.next();
            seen = new Seen(System.nanoTime());
            all.add(seen);
        }
        return begin(arrival, target, seen).thenCompose(whole -> next(left, target, all));
    }

    /** Sends all, and waits for their ends. */
    public static TrafficReport run(List<Arrivals.Arrival> arrivals, Target target) throws InterruptedException {
        List<Seen> all = new ArrayList<>();
        List<CompletableFuture<?>> ends = new ArrayList<>();
        long began = System.nanoTime();
        for (Arrivals.Arrival arrival : arrivals) {
            waitUntil(began + (long) (arrival.at() * NANOS));
            Seen seen = new Seen(System.nanoTime());
            all.add(seen);
            ends.add(begin(arrival, target, seen));
        }
        return report(all, ends, began);
    }

    private static TrafficReport report(List<Seen> all, List<CompletableFuture<?>> ends, long began) {
        CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0])).join();
        long last = all.stream().mapToLong(Seen::ended).max().orElse(began);
        return new TrafficReport(all, (last - began) / NANOS);
    }

    private static CompletableFuture<Boolean> begin(Arrivals.Arrival arrival, Target target, Seen seen) {
        CompletableFuture<?> end;
        try {
            end = target.ask(arrival, seen::token);
        } catch (RuntimeException refused) {
            end = CompletableFuture.failedFuture(refused);
        }
        return end.handle((reply, failure) -> ended(seen, failure));
    }

    private static boolean ended(Seen seen, @Nullable Throwable failure) {
        seen.end(failure == null);
        return failure == null;
    }

    private static void waitUntil(long time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time - System.nanoTime());
    }
}
