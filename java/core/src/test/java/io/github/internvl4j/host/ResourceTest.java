package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.TestData;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What was forgotten is freed and told of, each in a JVM of its own: a logger writes to standard error. */
class ResourceTest {
    /** Forgets a chat. */
    static final class Forgetful {
        public static void main(String[] args) throws InterruptedException {
            try (InternVL model = InternVL.load(Path.of(args[0]))) {
                model.chat();
                var freed = new AtomicInteger();
                forget(freed);
                for (int i = 0; i < 500 && freed.get() == 0; i++) {
                    System.gc();
                    Thread.sleep(10);
                }
                System.out.println("freed " + freed);
            }
        }

        private static void forget(AtomicInteger freed) {
            new Resource(new Object(), "the thing", freed::incrementAndGet);
        }
    }

    private static ChildJvm.Result run(String... options) throws Exception {
        var result = new ChildJvm()
                .with(options)
                .run(Forgetful.class, TestData.root().resolve("demo").toString());
        assertEquals(0, result.status(), result.output());
        assertTrue(result.output().contains("freed 1"), result.output());
        return result;
    }

    @Test
    void whatWasForgottenIsTracedIfThatIsAskedFor() throws Exception {
        String output = run("-Dinternvl4j.leaks=trace").output();
        assertTrue(output.contains("the thing was not closed"), output);
        assertTrue(output.contains("Forgetful.forget"), output);
    }

    @Test
    void elseNothingIsWritten() throws Exception {
        assertEquals(List.of("freed 1"), run().lines());
    }

    @Test
    void whatWasClosedIsNoLeak() {
        var freed = new AtomicInteger();
        Resource resource = new Resource(new Object(), "the thing", freed::incrementAndGet);
        resource.close();
        resource.close();
        assertEquals(1, freed.get());
    }
}
