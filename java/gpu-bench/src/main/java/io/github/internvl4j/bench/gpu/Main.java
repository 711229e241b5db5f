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
            Optional<String> reason = whyNoGpu(InternVL.systemInfo());
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

    /** Why our own library finds no GPU; empty if it does. */
    static Optional<String> whyNoGpu(SystemInfo info) {
        List<SystemInfo.DeviceInfo> gpus = info.devices().stream()
                .filter(device -> device.name().startsWith("cuda"))
                .toList();
        if (gpus.stream().anyMatch(SystemInfo.DeviceInfo::available)) {
            return Optional.empty();
        }
        return Optional.of("no GPU can be used: "
                + gpus.stream().map(SystemInfo.DeviceInfo::reason).findFirst().orElse("the library names none"));
    }
}
