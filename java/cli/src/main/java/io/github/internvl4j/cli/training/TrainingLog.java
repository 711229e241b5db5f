package io.github.internvl4j.cli.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.train.DataProblem;
import io.github.internvl4j.train.TrainStep;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Steps, held-out losses and lines that are not learnt, as JSON lines; each is on disk before the next begins. */
public final class TrainingLog implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STEP = "step";
    private static final String LOSS = "loss";
    private static final String HELD_OUT = "held_out_loss";

    private final BufferedWriter out;
    private final LossCurve curve = new LossCurve();
    private final Set<String> problems = new HashSet<>();

    /**
     * Opens a log; of one that is there already, what is behind the last saved step goes.
     *
     * @param done steps that are done; 0 begins anew
     */
    public TrainingLog(Path file, long done) throws IOException {
        List<String> kept = new ArrayList<>();
        if (done > 0 && Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                JsonNode entry = JSON.readTree(line);
                if (entry.path(STEP).asLong() <= done) {
                    kept.add(line);
                    add(entry);
                    problems.add(line);
                }
            }
        }
        Files.write(file, kept);
        out = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
    }

    private void add(JsonNode entry) {
        long step = entry.path(STEP).asLong();
        if (entry.has(LOSS)) {
            curve.learnt(step, entry.path(LOSS).asDouble());
        }
        if (entry.has(HELD_OUT)) {
            curve.heldOut(step, entry.path(HELD_OUT).asDouble());
        }
    }

    /** A step. */
    public void step(TrainStep step) throws IOException {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put(STEP, step.number());
        entry.put("epoch", step.epoch());
        if (!step.losses().isEmpty()) {
            entry.put(LOSS, step.loss());
            entry.put("losses", step.losses());
        }
        entry.put("rate", step.rate());
        entry.put("gradient_norm", step.gradientNorm());
        entry.put("factor", step.factor());
        entry.put("tokens", step.tokens());
        entry.put("learnt_tokens", step.learntTokens());
        entry.put("seconds", step.time().toNanos() / 1e9);
        write(entry);
    }

    /** What the held-out loss is after so many steps. */
    public void heldOut(long step, double loss) throws IOException {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put(STEP, step);
        entry.put(HELD_OUT, loss);
        write(entry);
    }

    /** A line that is not learnt. It is told once, however often the training is gone on with. */
    public void problem(DataProblem problem) throws IOException {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("file", problem.file().toString());
        entry.put("line", problem.line());
        entry.put("not_learnt", problem.reason());
        if (problems.add(JSON.writeValueAsString(entry))) {
            write(entry);
        }
    }

    private void write(Map<String, Object> entry) throws IOException {
        out.write(JSON.writeValueAsString(entry));
        out.newLine();
        out.flush();
        add(JSON.valueToTree(entry));
    }

    /** The losses so far, as a picture. */
    public LossCurve curve() {
        return curve;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
