package io.github.internvl4j.langchain4j;

import dev.langchain4j.data.message.ImageContent;
import io.github.internvl4j.Counts;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The demo checkpoint and its sample pictures. One model serves all tests of the process. */
final class Demo {
    static final Path DIRECTORY = Path.of(System.getProperty("internvl4j.testData", "../../test-data"), "demo");
    static final String HELLO = "Hello, who are you?";
    static final String DESCRIBE = "Please describe the image in detail.";
    /** An answer that does not end by itself for a while. */
    static final GenerationConfig ENDLESS = GenerationConfig.greedy(3000).minNewTokens(3000);

    static final InternVL MODEL = load();

    private Demo() {}

    static InternVL load() {
        return InternVL.load(
                DIRECTORY, LoadOptions.defaults().precision(Precision.F32).threads(2));
    }

    static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(DIRECTORY.resolve("samples").resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String base64(String name) {
        return Base64.getEncoder().encodeToString(bytes(name));
    }

    static Image image(String name) {
        return Image.read(bytes(name), name);
    }

    static ImageContent content(String name) {
        return ImageContent.from(base64(name), name.endsWith("png") ? "image/png" : "image/jpeg");
    }

    /** What a user asked, as text alone. */
    static Prompt text(String question) {
        return Prompt.of(question).placeholders(List.of()).specialTokens(SpecialTokens.LITERAL);
    }

    /** What a user asked about an image. */
    static Prompt shown(String name, String question) {
        return text("").and(image(name)).and("\n" + question);
    }

    static boolean idle() {
        Counts counts = MODEL.counts();
        return counts.running() + counts.waiting() == 0;
    }

    /** Waits until something is so, for a while. */
    static boolean soon(BooleanSupplier holds) throws InterruptedException {
        for (long end = System.nanoTime() + 20_000_000_000L; System.nanoTime() < end; Thread.sleep(5)) {
            if (holds.getAsBoolean()) {
                return true;
            }
        }
        return false;
    }
}
