package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.host.ChildJvm;
import io.github.internvl4j.image.Image;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Models come and go in a long-lived process without a trace. */
class SoakTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");

    @Test
    @EnabledOnOs(OS.LINUX) // reads /proc
    void openingChattingAndClosingTwoHundredTimesKeepsMemoryFlat() throws Exception {
        // A JVM of its own: what other tests left in the heap and in malloc's arenas grows and shrinks by itself.
        ChildJvm.Result result = new ChildJvm()
                .withNativeCode()
                .run(
                        SoakTest.class,
                        ORACLE.directory().toString(),
                        ORACLE.directory().resolve("images/discs.jpg").toString());
        assertEquals(0, result.status(), result.output());
        long growth = Long.parseLong(result.lines().get(result.lines().size() - 1));
        // A model of this size takes 9 MB of weights, 14 MB of rope table and scratch: ten lost ones would show.
        assertTrue(growth < 48 * 1024, "resident memory grew by " + growth + " KiB over 200 models");
    }

    /** Prints by how many KiB memory grew. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Image image = Image.read(Path.of(arguments[1]));
        for (int i = 0; i < 60; i++) {
            openChatClose(directory, image);
        }
        long before = ChildJvm.residentKilobytes();
        for (int i = 0; i < 200; i++) {
            openChatClose(directory, image);
        }
        System.out.println(ChildJvm.residentKilobytes() - before);
    }

    private static void openChatClose(Path directory, Image image) {
        LoadOptions options = LoadOptions.defaults().precision(Precision.F16); // converted weights are owned memory
        try (InternVL model = InternVL.load(directory, options);
                Chat chat = model.chat()) {
            chat.ask(Prompt.of("What is this?", image), GenerationConfig.greedy(2), p -> {});
            chat.ask(Prompt.of("Really?"), GenerationConfig.greedy(2), p -> {});
        }
    }
}
