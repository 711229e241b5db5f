package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.runtime.NativeCancellation;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeGeneration;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRecording;
import io.github.internvl4j.runtime.NativeSequence;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

    private static NativeGeneration.Request request(NativeFeatures... features) {
        int[] tokens = new int[16];
        Arrays.fill(tokens, features.length == 0 ? 5 : 1026);
        return new NativeGeneration.Request(tokens, 1026, List.of(features), new int[0]);
    }

    private static GenerationConfig greedy() {
        return GenerationConfig.greedy(2);
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
                assertRefused("expected [images, 3, 112, 112]", () -> model.encode(wrong, null, null));
            }
            model.encode(Tensor.allocate(1, 3, 112, 112), null, null).close();
        }
    }

    @Test
    void anArrayThatIsTooShortForLogitsIsRefused() {
        try (NativeModel model = load();
                NativeGeneration generation = model.newGeneration(null)) {
            int number = generation.add(request(), greedy(), null, null);
            generation.step();
            for (int size : new int[] {0, 1, 1032}) {
                assertRefused("there are 1033 of the logits", () -> generation.logits(number, size));
            }
            assertEquals(1033, generation.logits(number, 1033).length);
            assertThrows(IllegalStateException.class, () -> generation.failure(number));
        }
    }

    @Test
    void whatIsAnotherModelsIsRefused() {
        try (NativeModel model = load();
                NativeModel other = load();
                NativeGeneration generation = model.newGeneration(null);
                NativeSequence sequence = other.newSequence();
                NativeRecording recording = new NativeRecording();
                NativeFeatures features = other.encode(Tensor.allocate(1, 3, 112, 112), null, recording)) {
            assertRefused("another model", () -> generation.add(request(), greedy(), sequence, null));
            assertRefused("another model", () -> generation.add(request(features), greedy(), null, null));
            assertRefused("another model", () -> generation.add(request(), greedy(), null, recording));
            generation.add(request(), greedy(), null, null);
            assertEquals(1, generation.step().size());
        }
    }

    /** Cancelling a cancellation that another thread closes at that moment does nothing. */
    @Test
    void cancellingAndClosingMayRace() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        CyclicBarrier together = new CyclicBarrier(2);
        List<NativeCancellation> all = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            all.add(new NativeCancellation());
        }
        Future<?> cancelling = threads.submit(() -> {
            together.await();
            all.forEach(NativeCancellation::cancel);
            return true;
        });
        Future<?> closing = threads.submit(() -> {
            together.await();
            all.forEach(NativeCancellation::close);
            return true;
        });
        cancelling.get();
        closing.get();
        threads.shutdown();
    }
}
