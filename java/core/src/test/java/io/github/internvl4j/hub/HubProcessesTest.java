package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.host.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Several pulls of one model at once: each file comes once, and each of them ends with the whole. */
class HubProcessesTest extends HubFixture {
    /** Pulls in a process of its own; makes a file once it waits for somebody. */
    static final class Puller {
        public static void main(String[] args) {
            HubOptions options =
                    new HubOptions(URI.create(args[0]), null, Path.of(args[1]), false, 4, 3, Duration.ofSeconds(20));
            Path snapshot = new Hub(options)
                    .pull(
                            NAME,
                            new PullListener() {
                                @Override
                                public void onProgress(PullProgress progress) {}

                                @Override
                                public void onNote(String note) {
                                    System.out.println(note);
                                    try {
                                        Files.writeString(Path.of(args[2]), note.contains(WEIGHTS) ? note : "");
                                    } catch (IOException e) {
                                        throw new UncheckedIOException(e);
                                    }
                                }
                            },
                            null);
            System.out.println(snapshot);
        }
    }

    private void assertEachOnce() {
        for (String file : WANTED) {
            assertEquals(
                    1,
                    hub.requests("/resolve/" + repository.commit() + "/" + file).size(),
                    file);
        }
    }

    @Test
    void threadsOfOneProcess() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<Path>> pulls = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                pulls.add(this::pull);
            }
            for (Future<Path> pulled : threads.invokeAll(pulls)) {
                assertWhole(pulled.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEachOnce();
    }

    @Test
    void aSecondProcessWaitsAndFindsItDone() throws Exception {
        hub.once("/store/" + repository.sha256(WEIGHTS), answer -> answer.silent(100_000));
        Path waits = folder.resolve("waits");
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Future<Path> first = threads.submit(this::pull);
            until(() -> !hub.requests("/store/" + repository.sha256(WEIGHTS)).isEmpty());
            Future<ChildJvm.Result> second = threads.submit(() ->
                    new ChildJvm().run(Puller.class, hub.endpoint().toString(), cache.toString(), waits.toString()));
            until(() -> waits.toFile().length() > 0 || second.isDone());
            hub.release();
            assertWhole(first.get());
            assertEquals(0, second.get().status(), second.get().output());
            List<String> said = second.get().lines();
            assertTrue(
                    said.contains("another process downloads " + WEIGHTS + "; this one waits for it"), said.toString());
            assertEquals(first.get().toString(), said.get(said.size() - 1));
        } finally {
            threads.shutdownNow();
        }
        assertEquals(
                2, hub.requests("/store/" + repository.sha256(WEIGHTS)).size(), "once, and once more for the rest");
    }

    private static void until(BooleanSupplier holds) throws InterruptedException {
        while (!holds.getAsBoolean()) {
            Thread.sleep(5);
        }
    }
}
