package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Models come and go in a long-lived process without a trace. */
class SoakTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");

    @Test
    @EnabledOnOs(OS.LINUX) // reads /proc
    void openingChattingAndClosingTwoHundredTimesKeepsMemoryFlat() throws IOException {
        for (int i = 0; i < 60; i++) {
            openChatClose();
        }
        long before = nativeKilobytes();
        for (int i = 0; i < 200; i++) {
            openChatClose();
        }
        long growth = nativeKilobytes() - before;
        // A model of this size takes 9 MB of weights, 14 MB of rope table and scratch: ten lost ones would show.
        assertTrue(growth < 48 * 1024, "resident memory grew by " + growth + " KiB over 200 models");
    }

    private static void openChatClose() {
        LoadOptions options = LoadOptions.defaults().precision(Precision.F16); // converted weights are owned memory
        try (InternVL model = InternVL.load(ORACLE.directory(), options);
                Chat chat = model.chat()) {
            chat.ask(Prompt.of("What is this?", ORACLE.image("discs.jpg")), GenerationConfig.greedy(2), p -> {});
            chat.ask(Prompt.of("Really?"), GenerationConfig.greedy(2), p -> {});
        }
    }

    /** Resident memory without the Java heap, whose size says what tests before this one needed. */
    private static long nativeKilobytes() throws IOException {
        System.gc();
        return residentKilobytes() - Runtime.getRuntime().totalMemory() / 1024;
    }

    private static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
