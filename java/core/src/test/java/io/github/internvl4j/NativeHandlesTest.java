package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.runtime.NativeAnswer;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRecording;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the native runtime is handed, from whatever thread, does not end the process. */
class NativeHandlesTest {
    private static final Path CHECKPOINT = TestData.root().resolve("hermes-d128");

    private static NativeModel load() {
        return NativeModel.load(CHECKPOINT, LoadOptions.defaults().threads(1));
    }

    private static void assertRefused(String words, Runnable body) {
        InvalidOptionException refused = assertThrows(InvalidOptionException.class, body::run);
        assertTrue(String.valueOf(refused.getMessage()).contains(words), refused.getMessage());
    }

    private static NativeRequest request(@Nullable NativeRecording recording, NativeFeatures... features) {
        int[] tokens = new int[16];
        Arrays.fill(tokens, features.length == 0 ? 5 : 1026);
        NativeRequest.Sampling two = NativeRequest.Sampling.greedy(2);
        return new NativeRequest(tokens, 1026, List.of(features), new int[0], two, "", recording);
    }

    @Test
    void tensorsOfAnotherShapeAreRefused() {
        try (NativeModel model = load()) {
            for (Tensor wrong : List.of(
                    Tensor.allocate(4000, 1),
                    Tensor.allocate(1, 3, 112, 111),
                    Tensor.allocate(3, 1, 112, 112),
                    Tensor.allocate(1, 3, 112 * 112),
                    Tensor.allocate(3))) {
                assertRefused("expected [images, 3, 112, 112]", () -> model.encode(wrong, null));
            }
            model.encode(Tensor.allocate(1, 3, 112, 112), null).close();
        }
    }

    @Test
    void whatIsAnotherModelsIsRefused() {
        try (NativeModel model = load();
                NativeModel other = load();
                NativeRecording recording = new NativeRecording();
                NativeFeatures features = other.encode(Tensor.allocate(1, 3, 112, 112), recording)) {
            assertRefused("another model", () -> model.submit(request(null, features)));
            assertRefused("another model", () -> model.submit(request(recording)));
            try (NativeAnswer answer = model.submit(request(null))) {
                assertEquals(2, answer.finish());
            }
        }
    }

    @Test
    void anAnswerThatNobodyWaitsForIsCancelled() throws Exception {
        try (NativeModel model = load()) {
            for (int i = 0; i < 20; i++) {
                model.submit(NativeRequest.ofText(new int[600], 3000, "")).close();
            }
            while (model.counts().running() + model.counts().waiting() > 0) {
                Thread.sleep(1);
            }
            assertEquals(0, model.counts().blocksUsed());
        }
    }

    /** Some submit, some cancel what is not theirs, and one closes: each request has one end. */
    @Test
    void submittingCancellingAndClosingMayRace() throws Exception {
        for (int turn = 0; turn < 3; turn++) {
            NativeModel model = load();
            ExecutorService threads = Executors.newFixedThreadPool(6);
            CyclicBarrier together = new CyclicBarrier(6);
            List<Future<Integer>> ends = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                int seed = i;
                ends.add(threads.submit(() -> {
                    together.await();
                    return askUntilClosed(model, seed);
                }));
            }
            together.await();
            Thread.sleep(100);
            model.close();
            for (Future<Integer> end : ends) {
                assertTrue(end.get(60, TimeUnit.SECONDS) > 0);
            }
            threads.shutdown();
            assertThrows(ClosedException.class, model::counts);
        }
    }

    private static int askUntilClosed(NativeModel model, int seed) {
        Random random = new Random(seed);
        for (int asked = 1; ; asked++) {
            int[] prompt = random.ints(1 + random.nextInt(700), 0, 1000).toArray();
            try (NativeAnswer answer = model.submit(NativeRequest.ofText(prompt, 1 + random.nextInt(30), ""))) {
                if (random.nextBoolean()) {
                    model.cancel(1 + random.nextInt(asked * 5));
                }
                answer.finish();
            } catch (ClosedException closed) {
                return asked;
            }
        }
    }
}
