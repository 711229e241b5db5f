package io.github.internvl4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.image.Image;
import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two executors in processes of their own, one of which is killed on the way. {@code scripts/test-spark} runs it. */
@Tag("cluster")
class LocalClusterTest {
    private static final int ROWS = Integer.getInteger("internvl4j.rows", 1000);
    private static final int TASKS = 20;
    private static final int KILLED_AFTER = 4;
    private static final int TOGETHER = 50;

    /** Kills an executor when some tasks are done, and keeps count of those there were. */
    private static final class Killer extends SparkListener {
        final Set<String> added = ConcurrentHashMap.newKeySet();
        final Set<String> removed = ConcurrentHashMap.newKeySet();
        private final AtomicInteger done = new AtomicInteger();

        @Override
        public void onExecutorAdded(SparkListenerExecutorAdded event) {
            added.add(event.executorId());
        }

        @Override
        public void onExecutorRemoved(SparkListenerExecutorRemoved event) {
            removed.add(event.executorId());
        }

        @Override
        public void onTaskEnd(SparkListenerTaskEnd event) {
            if (done.incrementAndGet() == KILLED_AFTER) {
                executors().findFirst().ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    /** The JVMs that Spark has started: what runs in them is longer than the system tells. */
    private static Stream<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").endsWith("/java"));
    }

    /** What is not of Spark's own folder. */
    private static String ours() {
        String project = Path.of("../..").toAbsolutePath().normalize().toString();
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> Path.of(entry).normalize().startsWith(project))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void anExecutorThatDiesChangesNoAnswer() throws Exception {
        GenerationConfig brief = GenerationConfig.greedy(8);
        Killer killer = new Killer();
        try (SparkSession spark = Fixture.session("local-cluster[2,1,1024]")
                .config("spark.executor.extraClassPath", ours())
                .config("spark.executor.extraJavaOptions", "-Dinternvl4j.testData=" + Fixture.DEMO.getParent())
                .getOrCreate()) {
            spark.sparkContext().addSparkListener(killer);
            Dataset<Row> rows = Fixture.rows(spark, ROWS).repartition(TASKS);
            List<Row> answered = Fixture.transformer()
                    .config(() -> GenerationConfig.greedy(8))
                    .transform(rows)
                    .select("id", "reply")
                    .collectAsList();
            assertEquals(1, killer.removed.size(), "one was killed");
            assertEquals(ROWS, answered.size());
            compare(answered, brief);
            List<String> loads = rows.mapPartitions(
                            (MapPartitionsFunction<Row, String>) LocalClusterTest::loads, Encoders.STRING())
                    .distinct()
                    .collectAsList();
            System.out.printf(
                    "%d rows, %d executors, one killed; executor=loads: %s%n", ROWS, killer.added.size(), loads);
            assertTrue(loads.stream().allMatch(one -> one.endsWith("=1") || one.endsWith("=0")), loads.toString());
        }
    }

    private static Iterator<String> loads(Iterator<Row> rows) {
        return List.of(SparkEnv.get().executorId() + "=" + Models.loads()).iterator();
    }

    /** With what the library answers to many of them together, in this process. */
    private static void compare(List<Row> answered, GenerationConfig config) {
        try (InternVL model = InternVL.load(Fixture.DEMO, Fixture.loading())) {
            for (int from = 0; from < ROWS; from += TOGETHER) {
                List<Row> rows = answered.subList(from, Math.min(from + TOGETHER, ROWS));
                List<Prompt> prompts = rows.stream()
                        .map(row -> row.getInt(0))
                        .map(id -> Prompt.of(Fixture.prompt(id), Image.read(Fixture.path(id))))
                        .toList();
                List<Reply> replies = model.batch(prompts, config);
                for (int i = 0; i < rows.size(); i++) {
                    Row reply = rows.get(i).getStruct(1);
                    assertNull(reply.getAs("error"), reply.toString());
                    assertEquals(
                            replies.get(i).text(),
                            reply.getAs("text"),
                            rows.get(i).toString());
                }
            }
        }
    }
}
