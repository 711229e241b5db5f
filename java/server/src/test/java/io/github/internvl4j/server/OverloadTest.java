package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Twice as many requests as can be answered, from clients of which many leave at any moment. {@code -Dinternvl4j.overload=600} goes on
 * for so many seconds, and prints how it goes; so long ones look at the memory, too, beside {@code
 * -Dtest.jvm='-Xms400m -Xmx400m -XX:+AlwaysPreTouch'}, for a heap of one size.
 */
class OverloadTest {
    private static final int SECONDS = Integer.getInteger("internvl4j.overload", 5);
    private static final boolean LONG = SECONDS >= 120;
    private static final int PLACES = 4;
    private static final int QUEUE = 4;
    private static final int SAMPLES = 20;
    /** Full soon: what prompts leave in the cache would make memory grow for a long time. */
    private static final long KV_MEMORY = 64L << 20;
    /** A leak of 1 KiB a request would be more in ten minutes. */
    private static final long MOST_GROWTH = 16 * 1024;

    private final Random random = new Random(22);
    private final List<Long> resident = new ArrayList<>();
    private final List<Long> heap = new ArrayList<>();

    @Test
    void whatIsAnsweredIsAnsweredAsAlone() throws Exception {
        LoadOptions options = LoadOptions.defaults()
                .precision(Precision.F32)
                .threads(2)
                .maxBatch(PLACES)
                .kvMemory(KV_MEMORY);
        // A connection that is closed while a client takes it up again would be one more kind of failure.
        Limits.Times patient = Limits.Times.defaults().with(Limits.Wait.NEXT_REQUEST, Duration.ofHours(2));
        try (InternVL model = InternVL.load(Fixture.DEMO, options);
                Server server = Server.start(
                        Fixture.options().maxBatch(PLACES).queue(QUEUE), patient, RemoteImages.World.real());
                Crowd crowd = new Crowd(server, Crowd.questions(model))) {
            server.serve(Fixture.NAME, model);
            capacity(crowd, LONG ? 10 : 2); // until what runs is compiled
            double rate = 2 * capacity(crowd, LONG ? 10 : 2);
            crowd.forget();
            load(crowd, rate);
            assertTrue(crowd.awaitEnd(), "all that was asked ended");
            assertTrue(
                    Fixture.soon(() -> model.counts().running() + model.counts().waiting() == 0), "nothing is left");
            System.out.printf("%d s at %.1f requests a second: %s%n", SECONDS, rate, crowd);
            assertEquals(List.of(), crowd.faults());
            assertTrue(crowd.answered() > 0 && crowd.refused() > 0, crowd::toString);
        }
        if (LONG) {
            assertTrue(growth(resident) < MOST_GROWTH, "resident memory grew by " + growth(resident) + " KiB");
            assertTrue(growth(heap) < MOST_GROWTH, "the heap grew by " + growth(heap) + " KiB");
        }
    }

    /** Answers a second, of as many clients as are answered at a time. */
    private static double capacity(Crowd crowd, int seconds) {
        crowd.forget();
        List<CompletableFuture<Void>> clients = new ArrayList<>();
        long start = System.nanoTime();
        long end = start + TimeUnit.SECONDS.toNanos(seconds);
        for (int i = 0; i < PLACES; i++) {
            clients.add(again(crowd, end));
        }
        clients.forEach(CompletableFuture::join);
        return crowd.answered() / ((System.nanoTime() - start) / 1e9);
    }

    private static CompletableFuture<Void> again(Crowd crowd, long end) {
        return System.nanoTime() > end
                ? CompletableFuture.completedFuture(null)
                : crowd.ask().thenCompose(answered -> again(crowd, end));
    }

    /** Requests at random times, whether earlier ones are answered or not. */
    private void load(Crowd crowd, double rate) throws Exception {
        long start = System.nanoTime();
        double at = 0;
        double period = (double) SECONDS / SAMPLES;
        while (at < SECONDS) {
            at -= Math.log(1 - random.nextDouble()) / rate;
            TimeUnit.NANOSECONDS.sleep(start + (long) (at * 1e9) - System.nanoTime());
            crowd.ask();
            if (random.nextBoolean()) {
                crowd.askAndLeave(); // one more than can be answered
            }
            if (LONG && at > period * (resident.size() + 1)) {
                look(at, crowd);
            }
        }
        if (LONG && resident.size() < SAMPLES) {
            look(at, crowd);
        }
    }

    private void look(double at, Crowd crowd) throws IOException {
        System.gc();
        int number = resident.size();
        Runtime java = Runtime.getRuntime();
        heap.add((java.totalMemory() - java.freeMemory()) / 1024);
        resident.add(residentKilobytes());
        System.out.printf(
                "%4.0f s: resident %d KiB, heap %d KiB; %s%n", at, resident.get(number), heap.get(number), crowd);
    }

    private static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /** From the second quarter of the time to the last. */
    private static long growth(List<Long> values) {
        return mean(values.subList(3 * SAMPLES / 4, SAMPLES)) - mean(values.subList(SAMPLES / 4, SAMPLES / 2));
    }

    private static long mean(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).sum() / values.size();
    }
}
