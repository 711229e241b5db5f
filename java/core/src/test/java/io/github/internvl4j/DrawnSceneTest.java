package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The demo checkpoint looks at pictures of a program it was not trained on, and what it says comes from the picture. */
class DrawnSceneTest {
    private static final int PICTURES = 100;

    private static List<DrawnScene> scenes;
    private static List<String> answers;

    @BeforeAll
    static void describe() {
        Random random = new Random(2026);
        scenes = Stream.generate(() -> DrawnScene.draw(random)).limit(PICTURES).toList();
        List<Prompt> prompts = scenes.stream()
                .map(scene -> Prompt.of("Please describe the image shortly.", scene.image()))
                .toList();
        try (InternVL model = DemoModel.load(Precision.BF16)) {
            answers = model.batch(prompts, DemoModel.CONFIG).stream()
                    .map(Reply::text)
                    .toList();
        }
    }

    @Test
    void nineOfTenDescriptionsAreExact() {
        List<String> wrong = IntStream.range(0, PICTURES)
                .filter(i -> !answers.get(i).equals(scenes.get(i).description()))
                .mapToObj(i -> answers.get(i) + " (" + scenes.get(i).description() + ")")
                .toList();
        assertTrue(wrong.size() <= PICTURES / 10, wrong::toString);
    }

    @Test
    void anotherPicturesDescriptionIsSeldomRight() {
        long right = IntStream.range(0, PICTURES)
                .filter(i ->
                        answers.get(i).equals(scenes.get((i + 1) % PICTURES).description()))
                .count();
        assertTrue(right <= 5, right + " of " + PICTURES + " answers fit the next picture too");
    }
}
