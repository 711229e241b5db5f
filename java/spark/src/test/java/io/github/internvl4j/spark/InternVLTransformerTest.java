package io.github.internvl4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.Device;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.Image;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two task threads of one process share a model. */
class InternVLTransformerTest {
    private static final StructType PATHS = new StructType()
            .add("paths", DataTypes.createArrayType(DataTypes.StringType))
            .add("question", DataTypes.StringType);

    private static final AtomicInteger FAILURES = new AtomicInteger();
    private static SparkSession spark;

    @BeforeAll
    static void begin() {
        spark = Fixture.session("local[2, 2]").getOrCreate();
    }

    @AfterAll
    static void end() {
        spark.stop();
        InternVLTransformer.unload();
    }

    private static List<Row> answers(Dataset<Row> rows, InternVLTransformer transformer) {
        return transformer.transform(rows).orderBy("id").select("id", "reply").collectAsList();
    }

    @Test
    void answersAreTheLibrarysAndTheModelIsLoadedOnce() {
        int loads = Models.loads();
        Setting<GenerationConfig> brief = () -> GenerationConfig.greedy(12);
        List<Row> rows = answers(
                Fixture.rows(spark, 8).repartition(4), Fixture.transformer().config(brief));
        assertTrue(Models.loads() <= loads + 1, "one load at most");
        assertEquals(8, rows.size());
        try (InternVL model = InternVL.load(Fixture.DEMO, Fixture.loading())) {
            for (int i = 0; i < rows.size(); i++) {
                Reply expected = model.generate(
                        Prompt.of(Fixture.prompt(i), Image.read(Fixture.path(i))), GenerationConfig.greedy(12));
                Row reply = rows.get(i).getStruct(1);
                assertEquals(expected.text(), reply.getAs("text"));
                assertEquals(expected.finish().name().toLowerCase(Locale.ROOT), reply.getAs("finish_reason"));
                assertEquals(expected.promptTokens().size(), reply.<Integer>getAs("prompt_tokens"));
                assertEquals(expected.tokens().size(), reply.<Integer>getAs("completion_tokens"));
                assertEquals(model.fingerprint(), reply.getAs("system_fingerprint"));
                assertNull(reply.getAs("error"));
            }
        }
    }

    /** Drawn ones, too, in whatever tasks and company, and when a task is tried again. */
    @Test
    void aRowHasTheSameAnswerHoweverOftenItIsAsked() {
        InternVLTransformer drawing = Fixture.transformer()
                .config(() -> GenerationConfig.sampling(1.5f, 7).maxNewTokens(12));
        List<Row> once = answers(Fixture.rows(spark, 12).coalesce(1), drawing.rowsTogether(12));
        assertEquals(once, answers(Fixture.rows(spark, 12).repartition(5), drawing.rowsTogether(1)));
        FAILURES.set(0);
        Dataset<Row> failing = drawing.transform(Fixture.rows(spark, 12).repartition(2));
        List<Row> retried = failing.mapPartitions(
                        (MapPartitionsFunction<Row, Row>) InternVLTransformerTest::failOnce,
                        Encoders.row(failing.schema()))
                .orderBy("id")
                .select("id", "reply")
                .collectAsList();
        assertTrue(FAILURES.get() > 2, "two tasks, and one of them again");
        assertEquals(once, retried);
        assertNotEquals(
                once,
                answers(
                        Fixture.rows(spark, 12),
                        drawing.config(() -> GenerationConfig.sampling(1.5f, 8).maxNewTokens(12))),
                "another seed draws others");
    }

    private static Iterator<Row> failOnce(Iterator<Row> rows) {
        if (FAILURES.getAndIncrement() == 0) {
            rows.next();
            throw new IllegalStateException("planted, with other rows on their way");
        }
        return rows;
    }

    @Test
    void aBadRowIsAValue() {
        StructType schema = new StructType()
                .add("id", DataTypes.IntegerType)
                .add("image", DataTypes.BinaryType)
                .add("prompt", DataTypes.StringType);
        List<Row> bad = List.of(
                RowFactory.create(0, Fixture.image(0), "What is in the middle?"),
                RowFactory.create(1, new byte[] {1, 2, 3}, "What is it?"),
                RowFactory.create(2, Fixture.image(0), null),
                RowFactory.create(3, null, "Hello"),
                RowFactory.create(4, Fixture.image(0), "<image> <image> and only one"),
                RowFactory.create(5, Fixture.image(0), "word ".repeat(5000)));
        List<Row> rows = answers(
                spark.createDataFrame(bad, schema), Fixture.transformer().config(() -> GenerationConfig.greedy(4)));
        String[] words = {null, "the column image", "the column prompt is null", null, "image", "context"};
        for (int i = 0; i < words.length; i++) {
            Row reply = rows.get(i).getStruct(1);
            String error = reply.getAs("error");
            assertEquals(words[i] == null, error == null, i + ": " + reply);
            assertTrue(error == null || error.contains(words[i]), i + ": " + error);
            assertEquals(error == null, reply.getAs("text") != null, i + ": " + reply);
        }
    }

    @Test
    void imagesCanBePathsAndSeveralAndStandInAPipeline() throws Exception {
        List<Row> asked = List.of(
                RowFactory.create(
                        new String[] {
                            Fixture.path(0).toString(), Fixture.path(1).toUri().toString()
                        },
                        "How do they differ?"),
                RowFactory.create(new String[] {"/nowhere/a.png"}, "What is it?"));
        InternVLTransformer transformer = Fixture.transformer()
                .imageColumn("paths")
                .promptColumn("question")
                .outputColumn("told")
                .config(() -> GenerationConfig.greedy(4));
        Dataset<Row> rows = spark.createDataFrame(asked, PATHS);
        List<Row> told = new Pipeline()
                .setStages(new PipelineStage[] {transformer})
                .fit(rows)
                .transform(rows)
                .select("told.*")
                .collectAsList();
        assertTrue(told.get(0).<Integer>getAs("prompt_tokens") > 2, told.toString());
        assertNull(told.get(0).getAs("error"));
        assertTrue(told.get(1).<String>getAs("error").contains("/nowhere/a.png"), told.toString());

        Dataset<Row> files = spark.read()
                .format("binaryFile")
                .load(Fixture.path(0).toString())
                .withColumn("prompt", functions.lit("What is in the middle?"));
        Row first = Fixture.transformer()
                .imageColumn("content")
                .transform(files)
                .select("reply.text", "reply.error")
                .first();
        assertNull(first.get(1));
        assertTrue(first.getString(0).length() > 0);
    }

    @Test
    void whatIsWrongWithTheColumnsIsSaidAtOnce() {
        Dataset<Row> rows = Fixture.rows(spark, 1);
        InternVLTransformer right = Fixture.transformer();
        for (InternVLTransformer wrong : List.of(
                right.imageColumn("picture"),
                right.imageColumn("id"),
                right.promptColumn("image"),
                right.outputColumn("id"))) {
            String message = assertThrows(InvalidOptionException.class, () -> wrong.transform(rows))
                    .getMessage();
            assertTrue(message.contains("expected"), message);
        }
        assertThrows(InvalidOptionException.class, () -> right.rowsTogether(0));
        assertThrows(InvalidOptionException.class, () -> right.config(() -> GenerationConfig.greedy(0)));
        assertThrows(InvalidOptionException.class, () -> right.outputColumn(" "));
    }

    @Test
    void aTaskUsesTheDevicesItWasGiven() {
        assertEquals(Device.cuda(1), Answering.device("1"));
        assertEquals(Device.cuda(0, 2), Answering.device("0", "2"));
        assertThrows(InvalidOptionException.class, () -> Answering.device("GPU-5a1b"));
    }
}
