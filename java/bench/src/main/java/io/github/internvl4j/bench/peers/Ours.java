package io.github.internvl4j.bench.peers;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.bench.Shapes;
import io.github.internvl4j.bench.peers.Trial.Cost;
import io.github.internvl4j.runtime.KernelBenchmark;
import io.github.internvl4j.runtime.NativeAnswer;
import io.github.internvl4j.runtime.NativeLibrary;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.runtime.Work;
import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.Locale;
import java.util.Random;

/** This library. */
abstract class Ours implements Contender {
    /** Of one turn. */
    abstract Cost cost();

    @Override
    public String settings() {
        return NativeLibrary.version();
    }

    static Ours open(Trial trial) {
        return switch (trial.task().kind()) {
            case MATMUL -> new MatMul(trial);
            case PREFILL -> new Prefill(trial);
            case DECODE -> new Decode(trial);
            case VISION -> new Vision(trial);
        };
    }

    private static final class MatMul extends Ours {
        private final KernelBenchmark operation;

        MatMul(Trial trial) {
            long[] size = trial.task().sizes();
            operation = new KernelBenchmark(
                    "{\"op\": \"matmul\", \"m\": %d, \"n\": %d, \"k\": %d, \"dtype\": \"%s\", \"bf16_activations\": %b}"
                            .formatted(
                                    size[0],
                                    size[1],
                                    size[2],
                                    trial.ours().format(),
                                    trial.ours().hasBf16Activations()),
                    trial.threads());
        }

        @Override
        public double turn() {
            long started = System.nanoTime();
            operation.run();
            return (System.nanoTime() - started) / 1e9;
        }

        @Override
        Cost cost() {
            return new Cost(operation.operations(), operation.bytes(), 0);
        }

        @Override
        public void close() {
            operation.close();
        }
    }

    private abstract static class OfModel extends Ours {
        final Task task;
        final NativeModel model;

        OfModel(Trial trial) {
            task = trial.task();
            model = Shapes.load(
                    task.shape(),
                    LoadOptions.defaults()
                            .precision(trial.ours().precision())
                            .activations(trial.ours().hasBf16Activations() ? ActivationType.BF16 : ActivationType.F32)
                            .threads(trial.threads())
                            .device(Device.CPU));
        }

        /** What is computed under one salt is found by the next of the same. */
        NativeAnswer begin(int promptTokens, int newTokens, String salt) {
            int[] prompt = new Random(1)
                    .ints(promptTokens, 0, model.info().vocabularySize())
                    .toArray();
            return model.submit(NativeRequest.ofText(prompt, newTokens, salt));
        }

        @Override
        public String settings() {
            String precision = model.info().precision().name().toLowerCase(Locale.ROOT);
            return "%s, %s, %s".formatted(super.settings(), precision, model.backend());
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private static final class Prefill extends OfModel {
        Prefill(Trial trial) {
            super(trial);
        }

        @Override
        public double turn() {
            long started = System.nanoTime();
            try (NativeAnswer answer = begin(task.tokens(), 1, "turn " + started)) {
                answer.next();
                return (System.nanoTime() - started) / 1e9;
            }
        }

        @Override
        Cost cost() {
            return new Cost(
                    model.work().prefillOperations(task.tokens()), model.work().weightBytes(), 0);
        }
    }

    private static final class Decode extends OfModel {
        Decode(Trial trial) {
            super(trial);
        }

        @Override
        public double turn() {
            // Ends with the turn: the other engine's turn finds nothing at work.
            try (NativeAnswer answer = begin(Math.max(1, task.tokens()), TOKENS_A_TURN + 1, "")) {
                answer.next();
                long started = System.nanoTime();
                if (answer.finish() != TOKENS_A_TURN) {
                    throw new IllegalStateException("the context is full; take fewer tokens");
                }
                return (System.nanoTime() - started) / 1e9 / TOKENS_A_TURN;
            }
        }

        @Override
        Cost cost() {
            Work work = model.work();
            double operations = work.operationsPerToken() + work.headOperations();
            return new Cost(operations, work.weightBytes(), task.tokens() * work.kvBytesPerKey());
        }
    }

    private static final class Vision extends OfModel {
        private final Tensor pixels;

        Vision(Trial trial) {
            super(trial);
            int size = model.info().imageSize();
            pixels = Tensor.allocate(1, model.info().imageChannels(), size, size);
            FloatBuffer data = pixels.data();
            Random random = new Random(1);
            while (data.hasRemaining()) {
                data.put(random.nextFloat());
            }
        }

        @Override
        public double turn() {
            long started = System.nanoTime();
            model.encode(pixels, null).close();
            return (System.nanoTime() - started) / 1e9;
        }

        @Override
        Cost cost() {
            return new Cost(model.work().visionOperations(), 0, 0);
        }
    }
}
