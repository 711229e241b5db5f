package io.github.internvl4j.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is said where there is no GPU. */
class MainTest {
    @Test
    void theLibrarysOwnReasonIsGiven() {
        String none = "no NVIDIA driver was found, or it is too old";
        assertEquals(Optional.of("no GPU can be used: " + none), Main.whyNoGpu(List.of(none)));
        assertEquals(Optional.empty(), Main.whyNoGpu(List.of("it is busy", "")));
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
