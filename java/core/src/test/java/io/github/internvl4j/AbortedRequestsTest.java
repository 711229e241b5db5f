package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.host.Resource;
import io.github.internvl4j.image.Image;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A thousand requests that are ended at random moments, in each way that there is, leave nothing behind. */
class AbortedRequestsTest {
    private static final Oracle ORACLE = Oracle.load("hermes-gqa7");
    private static final GenerationConfig LONG = GenerationConfig.greedy(500);
    private static final int ASKERS = 4;
    private static final int REQUESTS = 250;

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final List<Image> images = ORACLE.dialogs().stream()
            .flatMap(dialog -> dialog.images().stream())
            .distinct()
            .map(ORACLE::image)
            .toList();

    @Test
    void leaveNoBlockNoImageAndNoHandle() throws Exception {
        try (InternVL model = InternVL.load(ORACLE.directory(), LoadOptions.defaults())) {
            long loaded = Resource.open();
            ExecutorService askers = Executors.newFixedThreadPool(ASKERS);
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < ASKERS; i++) {
                Random random = new Random(i);
                ends.add(askers.submit(() -> {
                    for (int request = 0; request < REQUESTS; request++) {
                        abort(model, random);
                    }
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                end.get();
            }
            askers.shutdown();
            while (model.counts().running() + model.counts().waiting() > 0) {
                Thread.sleep(1);
            }
            // A future is cancelled before its answer has ended, and what earlier tests forgot may become garbage
            // meanwhile.
            for (int i = 0; i < 1_000 && Resource.open() > loaded; i++) {
                Thread.sleep(10);
            }
            assertEquals(0, model.counts().blocksUsed());
            assertTrue(Resource.open() <= loaded, Resource.open() + " are open, of which " + loaded + " were before");
            assertEquals(
                    1,
                    model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1))
                            .tokens()
                            .size());
        } finally {
            clock.shutdown();
        }
    }

    private void abort(InternVL model, Random random) throws Exception {
        Prompt prompt = Prompt.of("z".repeat(1 + random.nextInt(1_000)));
        if (random.nextInt(3) == 0) {
            prompt = prompt.and(images.get(random.nextInt(images.size())));
        }
        int micros = random.nextInt(20_000);
        switch (random.nextInt(4)) {
            case 0 -> {
                Cancellation cancellation = new Cancellation();
                Future<?> alarm = clock.schedule(cancellation::cancel, micros, TimeUnit.MICROSECONDS);
                model.generate(prompt, LONG, ReplyListener.none(), cancellation);
                alarm.get();
            }
            case 1 -> {
                Thread asker = Thread.currentThread();
                Future<?> alarm = clock.schedule(asker::interrupt, micros, TimeUnit.MICROSECONDS);
                model.generate(prompt, LONG);
                while (!alarm.isDone()) {
                    Thread.onSpinWait();
                }
                Thread.interrupted(); // it may have come behind the answer
            }
            case 2 -> {
                try (ReplyStream stream = model.stream(prompt, LONG)) {
                    Iterator<Chunk> chunks = stream.iterator();
                    for (int left = micros / 1_000; left > 0 && chunks.hasNext(); left--) {
                        chunks.next();
                    }
                }
            }
            default -> {
                Chat chat = model.chat();
                CompletableFuture<Reply> reply = chat.askAsync(prompt, LONG);
                Runnable end = micros % 2 == 0 ? chat::close : () -> reply.cancel(false);
                clock.schedule(end, micros, TimeUnit.MICROSECONDS).get();
                reply.handle((answer, failure) -> answer).get();
                chat.close();
            }
        }
    }
}
