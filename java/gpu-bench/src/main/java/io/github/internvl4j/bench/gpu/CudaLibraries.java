package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudart.cudaGetDeviceCount;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaSuccess;

import java.util.Optional;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** NVIDIA's libraries through the JavaCPP Presets, loaded when they are first asked for. */
enum CudaLibraries {
    RUNTIME("the CUDA runtime", cudart.class),
    CUBLAS("cuBLAS", cublas.class),
    CUDNN("cuDNN", cudnn.class);

    private final String label;
    private final Class<?> preset;
    /** Kept: a class that could not be loaded says why the first time only. */
    private @Nullable Optional<String> reason;

    CudaLibraries(String label, Class<?> preset) {
        this.label = label;
        this.preset = preset;
    }

    /** Why it cannot be used on this machine; empty if it can. Never throws. */
    synchronized Optional<String> whyNot() {
        if (reason == null) {
            reason = this == RUNTIME ? loaded().or(CudaLibraries::noGpu) : RUNTIME.whyNot().or(this::loaded);
        }
        return reason;
    }

    /** Throws the reason if there is one. */
    void require() {
        whyNot().ifPresent(why -> {
            throw new IllegalStateException(why);
        });
    }

    private Optional<String> loaded() {
        try {
            Loader.load(preset);
            return Optional.empty();
        } catch (LinkageError e) {
            // The system's own words are in the last cause.
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            return Optional.of(label + " cannot be loaded: " + root.getMessage() + "; it needs NVIDIA's driver, and CUDA 13 with"
                    + " cuDNN 9 where the system's loader finds them (LD_LIBRARY_PATH)");
        }
    }

    private static Optional<String> noGpu() {
        int[] count = new int[1];
        int error = cudaGetDeviceCount(count);
        if (error != cudaSuccess) {
            return Optional.of("no GPU can be used: " + cudaGetErrorString(error).getString());
        }
        return count[0] > 0 ? Optional.empty() : Optional.of("the driver shows no GPU");
    }
}
