package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The memory plan of a config.json alone. */
class ConfigurationPlanTest {
    private static final Path CHECKPOINT = TestData.root().resolve("hermes-d128");

    /** But for weights that the checkpoint's files are mapped for, and norms that it has in f32. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "INT8"})
    void isThatOfItsCheckpoint(Precision precision) {
        LoadOptions options = LoadOptions.defaults()
                .precision(precision)
                .device(Device.CPU)
                .maxBatch(2)
                .contextLength(1000);
        MemoryPlan real = InternVL.plan(CHECKPOINT, options);
        MemoryPlan plan = InternVL.plan(CHECKPOINT.resolve("config.json"), options);
        assertEquals(0, plan.weightsMapped());
        assertEquals(1, (double) plan.weightsOwned() / (real.weightsMapped() + real.weightsOwned()), 0.01);
        assertEquals(real.kvCache(), plan.kvCache());
        assertEquals(real.kvCacheBatch(), plan.kvCacheBatch());
        assertEquals(real.scratch(), plan.scratch());
        assertEquals(real.imageBatch(), plan.imageBatch());
        assertTrue(plan.fits());
    }

    @Test
    void whatDoesNotRunIsRefused(@TempDir Path folder) throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(CHECKPOINT.resolve("config.json")).replace("LlamaForCausalLM", "MadeUpForCausalLM"));
        assertThrows(UnsupportedModelException.class, () -> InternVL.plan(config, LoadOptions.defaults()));
    }
}
