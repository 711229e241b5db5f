package io.github.internvl4j.spark;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.Serial;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * Answers a question about each row's image.
 *
 * <pre>{@code
 * Dataset<Row> answered = InternVLTransformer.of("/models/InternVL3-1B")
 *         .imageColumn("content")
 *         .config(() -> GenerationConfig.greedy(64))
 *         .transform(spark.read().format("binaryFile").load(folder).withColumn("prompt", lit("What is shown?")));
 * answered.select("path", "reply.text", "reply.error").show();
 * }</pre>
 *
 * <p>An executor loads the model once; all its tasks feed the same batch. A row that cannot be answered has an error as its value. The
 * same row gets the same answer, whoever answers it, however often. Immutable: every setter returns a changed copy.
 */
public final class InternVLTransformer extends Transformer {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int LARGEST_TOGETHER = 1024;

    private final Job job;
    private final String uid;

    private InternVLTransformer(Job job, String uid) {
        this.job = job;
        this.uid = uid;
    }

    /**
     * With the columns {@code image} and {@code prompt}, greedy answers of at most 1,024 tokens, and the library's ways to load.
     *
     * @param model a checkpoint's folder, which every executor must have at the same place, or a pulled model's name
     */
    public static InternVLTransformer of(String model) {
        Objects.requireNonNull(model, "model");
        return new InternVLTransformer(
                new Job(model, "image", "prompt", "reply", GenerationConfig::defaults, LoadOptions::defaults, 8),
                "internvl_" + UUID.randomUUID().toString().substring(0, 12));
    }

    private InternVLTransformer with(Job changed) {
        return new InternVLTransformer(changed, uid);
    }

    /**
     * With images in another column: a file's bytes, its path (any that Hadoop can open), or an array of either; null asks without an
     * image. No column at all is the empty name.
     */
    public InternVLTransformer imageColumn(String value) {
        return with(job.image(Objects.requireNonNull(value, "imageColumn")));
    }

    /** With questions in another column. {@code <image>} in them says where images stand; without it they stand first. */
    public InternVLTransformer promptColumn(String value) {
        return with(job.prompt(named(value, "promptColumn")));
    }

    /**
     * With another name for the column that is added: {@code text, finish_reason, prompt_tokens, completion_tokens, system_fingerprint},
     * which is {@link io.github.internvl4j.InternVL#fingerprint}, and {@code error}.
     */
    public InternVLTransformer outputColumn(String value) {
        return with(job.output(named(value, "outputColumn")));
    }

    /** With another way to draw answers. A row's seed is made of this one and of what the row holds. */
    public InternVLTransformer config(Setting<GenerationConfig> value) {
        Objects.requireNonNull(value.get(), "config"); // what is wrong is said here, not by a task
        return with(job.config(value));
    }

    /** With another way to load the model. A task that was given a GPU loads it there. */
    public InternVLTransformer loading(Setting<LoadOptions> value) {
        Objects.requireNonNull(value.get(), "loading");
        return with(job.loading(value));
    }

    /** With so many rows of a task that are answered together; what they hold is in memory meanwhile. */
    public InternVLTransformer rowsTogether(int value) {
        if (value < 1 || value > LARGEST_TOGETHER) {
            throw new InvalidOptionException("rowsTogether is " + value + ", expected 1 to " + LARGEST_TOGETHER);
        }
        return with(job.together(value));
    }

    private static String named(String value, String option) {
        if (Objects.requireNonNull(value, option).isBlank()) {
            throw new InvalidOptionException(option + " is blank, expected a column's name");
        }
        return value;
    }

    /** Frees the models of this JVM that no task uses: where the driver works itself, they stay loaded for the next one otherwise. */
    public static void unload() {
        Models.closeIdle();
    }

    /** Adds the column of answers. Computed when the result is, and again each time unless it is cached or written. */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = transformSchema(dataset.schema());
        SerializableConfiguration files = new SerializableConfiguration(
                dataset.sparkSession().sparkContext().hadoopConfiguration());
        return dataset.toDF().mapPartitions(new Answering(job, files), Encoders.row(schema));
    }

    /** @throws InvalidOptionException if a column is missing, of another type, or there already */
    @Override
    public StructType transformSchema(StructType schema) {
        if (!job.image().isEmpty()) {
            Columns.require(schema, "imageColumn", job.image(), Columns.IMAGES);
        }
        Columns.require(schema, "promptColumn", job.prompt(), Columns.PROMPTS);
        if (Arrays.asList(schema.fieldNames()).contains(job.output())) {
            throw new InvalidOptionException("outputColumn is " + job.output()
                    + ", which is there already; expected another name than " + String.join(", ", schema.fieldNames()));
        }
        return schema.add(job.output(), Columns.REPLY);
    }

    @Override
    public InternVLTransformer copy(@Nullable ParamMap extra) {
        return this; // it has no parameters of Spark's kind, and never changes
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public String toString() {
        return "InternVLTransformer[" + job.model() + "]";
    }
}
