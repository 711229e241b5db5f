package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ResizeFilter;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the original's scripts changed from release to release. */
class ScriptsTest {
    private static Benchmark asked(Scripts scripts, String name) {
        return Benchmarks.askedBy(
                scripts, false, Benchmarks.named(List.of(name)).get(0));
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
    void withTilesMmmuShowsAllImages() throws IOException {
        for (Scripts scripts : Scripts.values()) {
            Benchmark benchmark = Benchmarks.askedBy(
                    scripts, true, Benchmarks.named(List.of("MMMU_validation")).get(0));
            boolean doubled = scripts != Scripts.APRIL_2024;
            int several = 0;
            for (Sample sample : samples(benchmark)) {
                Prompt prompt = benchmark.prompt(sample);
                List<Image> images = prompt.images().get(0);
                assertEquals(1, prompt.images().size());
                assertEquals(sample.pictures().size(), images.size());
                Image first = sample.pictures().get(0).image();
                assertEquals(
                        doubled ? first.resize(2 * first.width(), 2 * first.height(), ResizeFilter.BILINEAR) : first,
                        images.get(0));
                for (int i = 1; i < images.size(); i++) {
                    assertEquals(sample.pictures().get(i).image(), images.get(i));
                    assertEquals(
                            doubled ? List.of(0, 1) : List.of(),
                            prompt.tileLimits().stream().limit(2).toList());
                }
                several += images.size() > 1 ? 1 : 0;
            }
            assertTrue(several > 0, "no question has several images");
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
