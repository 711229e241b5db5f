package io.github.internvl4j.spark;

import io.github.internvl4j.Device;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InvalidOptionException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/** What a task does with its rows. */
final class Answering implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    private final Job job;
    private final SerializableConfiguration files;

    Answering(Job job, SerializableConfiguration files) {
        this.job = job;
        this.files = files;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        if (!rows.hasNext()) {
            return rows; // no model for nothing
        }
        TaskContext task = TaskContext.get();
        ResourceInformation gpu = task.resourcesJMap().get("gpu");
        LoadOptions loading = job.loading().get();
        GenerationConfig config = job.config().get();
        Models.Lent lent = Models.lend(job.model(), gpu == null ? loading : loading.device(device(gpu.addresses())));
        Replies replies = new Replies(rows, job, lent.model(), config, files.value());
        task.addTaskCompletionListener((TaskCompletionListener) ended -> {
            replies.cancel(); // a task that was killed, or whose rows were enough
            lent.giveBack();
        });
        return replies;
    }

    /** The GPUs that Spark gave the task, by the numbers that its discovery script told. */
    static Device device(String... addresses) {
        try {
            return Device.cuda(
                    Arrays.stream(addresses).mapToInt(Integer::parseInt).toArray());
        } catch (NumberFormatException e) {
            throw new InvalidOptionException(
                    "the task's resource gpu has the addresses " + String.join(", ", addresses)
                            + ", expected numbers; spark.executor.resource.gpu.discoveryScript tells them",
                    e);
        }
    }
}
