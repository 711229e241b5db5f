package io.github.internvl4j.spark;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;

/** A task's rows with their answers, in their order; some are being answered while the first is waited for. */
final class Replies implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final Job job;
    private final InternVL model;
    private final Configuration files;
    private final GenerationConfig config;
    private final Deque<Asked> asked = new ArrayDeque<>();

    private record Asked(Row row, CompletableFuture<Reply> reply) {}

    /** @param files opens paths */
    Replies(Iterator<Row> rows, Job job, InternVL model, GenerationConfig config, Configuration files) {
        this.rows = rows;
        this.job = job;
        this.model = model;
        this.files = files;
        this.config = config;
    }

    @Override
    public boolean hasNext() {
        return !asked.isEmpty() || rows.hasNext();
    }

    @Override
    public Row next() {
        while (asked.size() < job.together() && rows.hasNext()) {
            Row row = rows.next();
            asked.add(new Asked(row, ask(row)));
        }
        Asked first = asked.poll();
        if (first == null) {
            throw new NoSuchElementException();
        }
        try {
            return Columns.answered(first.row, first.reply.get(), model.fingerprint());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TaskKilledException("interrupted while it waited for an answer");
        } catch (ExecutionException e) {
            return failed(first.row, e.getCause() == null ? e : e.getCause());
        }
    }

    private CompletableFuture<Reply> ask(Row row) {
        try {
            Question question = Question.of(row, job, files);
            return model.generateAsync(question.prompt(), question.config(config));
        } catch (InternVLException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** A bad row is a value; what has nothing to do with the row ends the task, which Spark tries again. */
    private static Row failed(Row row, Throwable failure) {
        if (failure instanceof InternVLException about
                && !(about instanceof InsufficientMemoryException)
                && !(about instanceof ClosedException)) {
            return Columns.failed(row, String.valueOf(about.getMessage()));
        }
        throw failure instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(failure);
    }

    /** Ends what is still being answered. */
    void cancel() {
        asked.forEach(one -> one.reply.cancel(true));
        asked.clear();
    }
}
