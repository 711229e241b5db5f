package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.internvl4j.host.ChildJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Virtual threads that wait for answers, all on the one carrier that a JVM of its own has. */
@Tag("newer")
class VirtualThreadsTest {
    private static final int WAITING = 8;
    /** More than anybody waits for. */
    private static final GenerationConfig LONG = GenerationConfig.greedy(3_900);

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    void whoWaitsGivesItsCarrierFreeAndHearsOfItsEnd() throws Exception {
        String cache = "org.bytedeco.javacpp.cacheDir";
        ChildJvm.Result result = new ChildJvm()
                .with("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1")
                .with("-D" + cache + "=" + System.getProperty(cache, System.getProperty("java.io.tmpdir") + "/javacpp"))
                .run(
                        VirtualThreadsTest.class,
                        TestData.root().resolve("hermes-d128").toString());
        assertEquals(
                List.of("8 wait, another goes on", "4 interrupted: ended early", "4 cancelled: ended early"),
                result.lines(),
                result.output());
        assertEquals(0, result.status());
    }

    /** One that asks, on a virtual thread. */
    private static final class Asker {
        private final CountDownLatch answering = new CountDownLatch(1);
        private final CompletableFuture<Reply> reply = new CompletableFuture<>();
        private final Chat chat;
        private final Thread thread;

        /** @param streams in a loop over the answer, or as a whole */
        Asker(InternVL model, boolean streams) throws ReflectiveOperationException {
            chat = model.chat();
            thread = startVirtual(() -> {
                try {
                    reply.complete(
                            streams ? stream() : chat.ask(Prompt.of("Hello"), LONG, chunk -> answering.countDown()));
                } catch (Throwable failure) {
                    reply.completeExceptionally(failure);
                }
            });
        }

        private Reply stream() {
            try (ReplyStream stream = chat.stream(Prompt.of("Hello"), LONG)) {
                stream.forEach(chunk -> answering.countDown());
                return stream.reply();
            }
        }
    }

    /** {@code Thread.startVirtualThread}, which JDK 17 does not have. */
    private static Thread startVirtual(Runnable task) throws ReflectiveOperationException {
        return (Thread) Objects.requireNonNull(
                Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task));
    }

    /** Prints what went well. */
    public static void main(String[] arguments) throws Exception {
        try (InternVL model =
                InternVL.load(Path.of(arguments[0]), LoadOptions.defaults().threads(1))) {
            List<Asker> askers = new ArrayList<>();
            for (int i = 0; i < WAITING; i++) {
                askers.add(new Asker(model, i % 2 == 0));
            }
            for (Asker asker : askers) {
                require(() -> await(asker.answering), "is answered");
            }
            CountDownLatch another = new CountDownLatch(1);
            startVirtual(another::countDown);
            require(() -> await(another), "goes on");
            require(() -> model.counts().running() + model.counts().waiting() == WAITING, "all wait still");
            System.out.println(WAITING + " wait, another goes on");
            List<Asker> first = askers.subList(0, WAITING / 2);
            System.out.println(first.size() + " interrupted: " + end(model, first, asker -> asker.thread.interrupt()));
            List<Asker> others = askers.subList(WAITING / 2, WAITING);
            System.out.println(others.size() + " cancelled: " + end(model, others, asker -> asker.chat.cancel()));
        }
    }

    /** A pass or two where the machine is idle; thousands were left. */
    private static String end(InternVL model, List<Asker> askers, Consumer<Asker> end) throws Exception {
        long before = model.counts().passes();
        askers.forEach(end);
        for (Asker asker : askers) {
            Reply reply = asker.reply.get(60, TimeUnit.SECONDS);
            require(() -> reply.finish() == FinishReason.CANCELLED, reply.finish() + " is " + FinishReason.CANCELLED);
        }
        long passes = model.counts().passes() - before;
        require(() -> passes < 100, passes + " passes are few");
        return "ended early";
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void require(BooleanSupplier holds, String what) {
        if (!holds.getAsBoolean()) {
            throw new IllegalStateException("not so: " + what);
        }
    }
}
