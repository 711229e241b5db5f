package io.github.internvl4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.Precision;
import io.github.internvl4j.TestData;
import io.github.internvl4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomPlanTest {
    private static final Path CHECKPOINT = TestData.root().resolve("hermes-d128");

    /** In MiB, rounded up, which here is few: the norms that a checkpoint has in f32 do not show. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "INT8"})
    void aConfigurationNeedsWhatItsCheckpointDoes(Precision precision) {
        LoadOptions options = LoadOptions.defaults().precision(precision).device(Device.CPU).maxBatch(1).contextLength(1000);
        MemoryPlan real = NativeModel.plan(CHECKPOINT, options);
        RandomPlan random = RandomPlan.of(CHECKPOINT.resolve("config.json"), options);
        assertEquals(mib(real.weightsMapped() + real.weightsOwned()), random.weights());
        assertEquals(mib(real.kvCache()), random.kvCache());
        assertEquals(mib(real.scratch()), random.scratch());
        assertEquals(mib(real.pictureBatch()), random.pictures());
        assertTrue(RandomPlan.fitsNow(CHECKPOINT.resolve("config.json"), options));
    }

    private static long mib(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }

    @Test
    void whatTheLibraryDoesNotRunIsItsOwnError(@TempDir Path folder) throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(CHECKPOINT.resolve("config.json")).replace("LlamaForCausalLM", "MadeUpForCausalLM"));
        assertThrows(UnsupportedModelException.class, () -> RandomPlan.of(config, LoadOptions.defaults()));
        assertThrows(UnsupportedModelException.class, () -> RandomPlan.fitsNow(config, LoadOptions.defaults()));
    }
}
