package io.github.internvl4j.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** What the PyTorch peers share. */
final class Torch {
    /** Which library multiplies f32 matrices. */
    static final String MKL = "MKL";

    static final String OPENBLAS = "OpenBLAS";

    /** What the trial's JVM must be told: PyTorch's preset takes its BLAS from that of OpenBLAS. */
    static String blasArgument(String variant) {
        return "-Dorg.bytedeco.openblas.load=" + (variant.equals(MKL) ? "mkl_rt" : "openblas");
    }

    private final torch.ScalarType type;
    private final String settings;

    Torch(Trial trial) throws IOException {
        torch.set_num_threads(trial.threads());
        Side side = trial.peer();
        settings = "%s, %s, %d threads"
                .formatted(Artifact.of("org.bytedeco", "pytorch"), side.variant(), torch.get_num_threads());
        checkBlas(side.variant());
        type = switch (side.format()) {
            case F32 -> torch.ScalarType.Float;
            case BF16 -> torch.ScalarType.BFloat16;
            case F16, INT8, Q8_0 -> throw new IllegalArgumentException("PyTorch is not compared in " + side.format());
        };
    }

    /** A BLAS that cannot be loaded is silently replaced by the other. */
    private static void checkBlas(String variant) throws IOException {
        try (Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            String loaded = mappings.anyMatch(line -> line.contains("libmkl_core")) ? MKL : OPENBLAS;
            if (!loaded.equals(variant)) {
                throw new IOException("PyTorch has loaded " + loaded + " instead of " + variant);
            }
        }
    }

    String settings() {
        return settings;
    }

    /** Of a variance that keeps the size of what passes through. */
    Tensor weights(long outputs, long inputs) {
        double bound = Math.sqrt(3.0 / inputs);
        return uniform(bound, outputs, inputs);
    }

    Tensor uniform(double bound, long... size) {
        Tensor[] made = new Tensor[1];
        // What is only on the way, gigabytes of f32, is freed at once.
        scoped(() -> made[0] = torch.empty(size)
                .uniform_(-bound, bound, new GeneratorOptional())
                .to(type)
                .retainReference());
        return made[0];
    }

    /** Frees every tensor that the body makes. */
    static void scoped(Runnable body) {
        PointerScope scope = new PointerScope();
        try {
            body.run();
        } finally {
            scope.close();
        }
    }

    Tensor ones(long size) {
        return torch.ones(size).to(type);
    }

    Tensor cast(Tensor tensor) {
        return tensor.to(type);
    }

    /** Over the last dimension. */
    static Tensor rmsNorm(Tensor x, Tensor weight, double epsilon) {
        return torch.rms_norm(x, new long[] {weight.size(0)}, new TensorOptional(weight), new DoubleOptional(epsilon));
    }
}
