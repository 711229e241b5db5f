package io.github.internvl4j.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.internvl4j.SystemInfo;
import io.github.internvl4j.SystemInfo.DeviceInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is said where there is no GPU. */
class MainTest {
    private static SystemInfo machine(DeviceInfo gpu) {
        return new SystemInfo("1", new SystemInfo.Cpu("avx2", List.of(), 1), List.of(new DeviceInfo("cpu", true, ""), gpu));
    }

    @Test
    void theLibrarysOwnReasonIsGiven() {
        DeviceInfo none = new DeviceInfo("cuda", false, "no NVIDIA driver was found, or it is too old");
        assertEquals(
                Optional.of("no GPU can be used: no NVIDIA driver was found, or it is too old"), Main.whyNoGpu(machine(none)));
        assertEquals(Optional.empty(), Main.whyNoGpu(machine(new DeviceInfo("cuda:0 (NVIDIA H100, 81559 MiB)", true, ""))));
    }

    /** Where there is no driver the presets cannot be loaded; that is a reason, and no failure. */
    @ParameterizedTest
    @EnumSource
    void aPeerThatCannotBeLoadedSaysWhy(CudaLibraries library) {
        assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "this machine has a driver");
        String reason = library.whyNot().orElseThrow();
        assertTrue(reason.contains("libcuda.so.1"), reason);
        assertTrue(reason.contains("it needs NVIDIA's driver"), reason);
        assertEquals(reason, assertThrows(IllegalStateException.class, library::require).getMessage());
    }
}
