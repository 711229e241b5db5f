package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the original's scripts changed from release to release. */
class ScriptsTest {
    private static Benchmark asked(Scripts scripts, String name) {
        return Benchmarks.askedBy(scripts, Benchmarks.named(List.of(name)).get(0));
    }

    private static List<Sample> samples(Benchmark benchmark) throws IOException {
        return benchmark
                .samples(DataFolder.of(Vectors.folder().resolve("datasets")))
                .samples();
    }

    private static String withoutBlanks(String text) {
        return text.replaceAll("\\s", "");
    }

    @Test
    void laterOnesKeepMmmusMarksAndTakeTenTokens() throws IOException {
        List<Sample> april = samples(asked(Scripts.APRIL_2024, "MMMU_validation"));
        for (Scripts scripts : List.of(Scripts.JULY_2024, Scripts.NOVEMBER_2024)) {
            Benchmark benchmark = asked(scripts, "MMMU_validation");
            assertEquals(new Decoding(10, 1), benchmark.decoding());
            List<Sample> later = samples(benchmark);
            assertTrue(later.stream().anyMatch(one -> one.question().contains("<image 1>")));
            for (int i = 0; i < later.size(); i++) {
                String question = later.get(i).question();
                assertEquals(Python.strip(question), question);
                assertEquals(withoutBlanks(april.get(i).question()), withoutBlanks(question.replace("<image 1>", "")));
            }
        }
    }

    @Test
    void theLastOnesLetMathVistaThink() {
        assertEquals(
                1000, asked(Scripts.JULY_2024, "MathVista_testmini").decoding().maxNewTokens());
        assertEquals(
                4096,
                asked(Scripts.NOVEMBER_2024, "MathVista_testmini").decoding().maxNewTokens());
    }

    @Test
    void othersAreAskedAlike() {
        Benchmark pope = asked(Scripts.APRIL_2024, "pope");
        assertSame(pope, asked(Scripts.NOVEMBER_2024, "pope"));
        assertTrue(pope.hasScriptsBeams());
        assertTrue(!asked(Scripts.APRIL_2024, "demo").hasScriptsBeams());
    }

    @Test
    void areNamedByTheirMonths() {
        for (Scripts scripts : Scripts.values()) {
            assertSame(scripts, Scripts.named(scripts.toString()));
        }
        assertThrows(IllegalArgumentException.class, () -> Scripts.named("2023-12"));
    }
}
