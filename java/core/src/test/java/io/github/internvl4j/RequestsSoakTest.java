package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.host.ChildJvm;
import io.github.internvl4j.host.Resource;
import io.github.internvl4j.image.Image;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * One model answers 100,000 short requests, with images, chats and cancellations among them, and is as large as after the first of them.
 * Takes minutes, and prints how it goes: {@code mvn -pl java/core -am verify -Dtest=RequestsSoakTest -Dtest.excludedGroups=
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
@Tag("soak")
class RequestsSoakTest {
    private static final int ASKERS = 8;
    private static final int PARTS = 10;
    private static final int REQUESTS = Integer.getInteger("internvl4j.soak.requests", 100_000);
    /** Full after some thousand requests: what prompts leave in the cache would make memory grow for a long time. */
    private static final long KV_MEMORY = 64L << 20;

    @Test
    @EnabledOnOs(OS.LINUX) // reads /proc
    void memoryIsFlatOverManyRequests() throws Exception {
        ChildJvm.Result result = new ChildJvm()
                .withNativeCode()
                .run(RequestsSoakTest.class, DemoModel.DIRECTORY.toString(), String.valueOf(REQUESTS));
        System.out.println(result.output());
        assertEquals(0, result.status());
        List<String> parts = result.lines().stream()
                .filter(line -> line.startsWith("requests "))
                .toList();
        assertEquals(PARTS, parts.size());
        long early = figure(parts.get(1), "resident");
        long late = figure(parts.get(PARTS - 1), "resident");
        // A leak of 1 KiB a request would be 80 MiB.
        assertTrue(late - early < 16 * 1024, "resident memory grew by " + (late - early) + " KiB");
        assertEquals(0, figure(parts.get(PARTS - 1), "blocks"));
        assertEquals(figure(parts.get(0), "handles"), figure(parts.get(PARTS - 1), "handles"));
    }

    private static long figure(String part, String name) {
        return Long.parseLong(part.replaceFirst(".*\\b" + name + " (\\d+).*", "$1"));
    }

    /** Prints a line for each tenth. */
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        int requests = Integer.parseInt(arguments[1]);
        List<Image> images = new ArrayList<>();
        for (String name : List.of("two.jpg", "three.jpg")) {
            images.add(Image.read(directory.resolve("samples").resolve(name)));
        }
        ExecutorService askers = Executors.newFixedThreadPool(ASKERS);
        try (InternVL model = InternVL.load(directory, LoadOptions.defaults().kvMemory(KV_MEMORY))) {
            long began = System.nanoTime();
            for (int part = 1; part <= PARTS; part++) {
                List<Future<?>> ends = new ArrayList<>();
                for (int asker = 0; asker < ASKERS; asker++) {
                    Random random = new Random((long) part * ASKERS + asker);
                    ends.add(askers.submit(() -> ask(model, images, random, requests / PARTS / ASKERS)));
                }
                for (Future<?> end : ends) {
                    end.get();
                }
                report(model, part * (requests / PARTS), (System.nanoTime() - began) / 1e9);
            }
        } finally {
            askers.shutdown();
        }
    }

    private static void ask(InternVL model, List<Image> images, Random random, int requests) {
        for (int left = requests; left > 0; left--) {
            GenerationConfig config = GenerationConfig.greedy(1 + random.nextInt(6));
            Prompt prompt = Prompt.of("Question " + random.nextInt() + " z".repeat(random.nextInt(20)));
            switch (random.nextInt(20)) {
                case 0 -> model.generate(prompt.and(images.get(random.nextInt(images.size()))), config);
                case 1 -> {
                    Cancellation cancellation = new Cancellation();
                    model.generate(prompt, config, chunk -> cancellation.cancel(), cancellation);
                }
                case 2 -> {
                    try (Chat chat = model.chat()) {
                        chat.ask(prompt, config, ReplyListener.none());
                        chat.ask("And now?", config);
                    }
                    left--;
                }
                case 3 -> model.stream(prompt, config).close();
                default -> model.generate(prompt, config);
            }
        }
    }

    private static void report(InternVL model, int requests, double seconds) throws IOException, InterruptedException {
        while (model.counts().running() + model.counts().waiting() > 0) {
            Thread.sleep(1);
        }
        long resident = ChildJvm.residentKilobytes();
        Counts counts = model.counts();
        Runtime heap = Runtime.getRuntime();
        System.out.printf(
                "requests %d, seconds %.1f, resident %d KiB, heap %d KiB, blocks %d of %d, images %d and %d shared, handles %d%n",
                requests,
                seconds,
                resident,
                (heap.totalMemory() - heap.freeMemory()) / 1024,
                counts.blocksUsed(),
                counts.blocks(),
                counts.images(),
                counts.sharedImages(),
                Resource.open());
    }
}
