package io.github.internvl4j.bench.gpu;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.SystemInfo;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** JMH over these benchmarks, once there is a GPU to run them on. */
public final class Main {
    /** The first GPU, which is the presets' current one, too. */
    static final String DEVICE = "cuda:0";

    private static final Set<String> NEED_NO_GPU = Set.of("-h", "-l", "-lp", "-lrf", "-lprof");

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        if (List.of(arguments).stream().noneMatch(NEED_NO_GPU::contains)) {
            Optional<String> reason = whyNoGpu(gpus(InternVL.systemInfo()));
            if (reason.isPresent()) {
                System.err.println("gpu-benchmarks: " + reason.get());
                System.exit(1);
            }
            // Ours can be measured without them: their benchmarks then fail one by one.
            for (CudaLibraries library : List.of(CudaLibraries.CUBLAS, CudaLibraries.CUDNN)) {
                library.whyNot().ifPresent(why -> System.err.println("gpu-benchmarks: no peer: " + why));
            }
        }
        org.openjdk.jmh.Main.main(arguments);
    }

    /** The reason against each GPU that our own library finds; empty for one that can be used. */
    private static List<String> gpus(SystemInfo info) {
        return info.devices().stream()
                .filter(device -> device.name().startsWith("cuda"))
                .map(device -> device.available() ? "" : device.reason())
                .toList();
    }

    /** Why none of them can be used; empty if one can. */
    static Optional<String> whyNoGpu(List<String> reasons) {
        if (reasons.contains("")) {
            return Optional.empty();
        }
        return Optional.of("no GPU can be used: " + (reasons.isEmpty() ? "the library names none" : reasons.get(0)));
    }
}
