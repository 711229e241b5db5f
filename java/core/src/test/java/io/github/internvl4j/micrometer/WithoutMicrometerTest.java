package io.github.internvl4j.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.TestData;
import io.github.internvl4j.host.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who does not bring Micrometer misses one class. */
class WithoutMicrometerTest {
    @Test
    void aModelIsListenedToWithoutMicrometer() throws Exception {
        String cache = "org.bytedeco.javacpp.cacheDir";
        ChildJvm.Result result = new ChildJvm(".*/micrometer-[^/]*\\.jar")
                .with("-D" + cache + "=" + System.getProperty(cache, System.getProperty("java.io.tmpdir") + "/javacpp"))
                .run(
                        WithoutMicrometerTest.class,
                        TestData.root().resolve("demo").toString());
        assertEquals(
                List.of("no io/micrometer", "1 request of LENGTH", "1 new token"), result.lines(), result.output());
        assertEquals(0, result.status());
    }

    /** Prints which class is not there, and what it hears of a request. */
    public static void main(String[] arguments) throws ClassNotFoundException {
        try (InternVL model = InternVL.load(Path.of(arguments[0]))) {
            try {
                Class.forName("io.github.internvl4j.micrometer.MicrometerMetrics")
                        .getDeclaredMethods();
            } catch (NoClassDefFoundError absent) {
                System.out.println("no " + String.valueOf(absent.getMessage()).replaceFirst("/core/.*", ""));
            }
            model.addRequestListener(report -> System.out.println("1 request of " + report.finish()));
            model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1));
            System.out.println(model.counts().newTokens() + " new token");
        }
    }
}
