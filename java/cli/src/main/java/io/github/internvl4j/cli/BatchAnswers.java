package io.github.internvl4j.cli;

import io.github.internvl4j.BatchListener;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.server.openai.JsonText;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes answers in the requests' order, each as soon as those before it are there. */
final class BatchAnswers implements BatchListener {
    private final AnswerSink sink;
    private final Runnable progress;
    private final Runnable stop;
    private final Map<Integer, Asked> asked = new HashMap<>();
    private final Map<Integer, Map<String, Object>> waiting = new HashMap<>();
    private int written;
    private int failures;
    private @Nullable IOException broken;

    /**
     * A request that waits for its answer.
     *
     * @param index its number in the file, from 0
     * @param key what tells it from a changed one
     * @param line where it is, from 1
     */
    record Asked(int index, String key, long line, AnswerForm form, GenerationConfig config) {}

    /**
     * @param progress run after each answer
     * @param stop ends the batch, when answers cannot be written
     */
    BatchAnswers(AnswerSink sink, Runnable progress, Runnable stop) {
        this.sink = sink;
        this.progress = progress;
        this.stop = stop;
    }

    /**
     * Tells of a request before its answer; again when more is known of it.
     *
     * @param number among those that are asked, from 0
     */
    void expect(int number, Asked request) {
        asked.put(number, request);
    }

    /** Whether every request so far was answered. */
    boolean complete() {
        return failures == 0;
    }

    @Override
    public void onReply(int number, Reply reply) {
        Asked request = asked(number);
        put(number, request.form().reply(request.index(), request.key(), reply, request.config()));
    }

    @Override
    public void onFailure(int number, InternVLException failure) {
        failures++;
        Asked request = asked(number);
        String what = failure instanceof InvalidOptionException option
                ? OptionNames.inLine(option)
                : Failures.describe(failure);
        String message = "line " + request.line() + ": " + what;
        put(number, request.form().failure(request.index(), request.key(), failure, message));
    }

    private Asked asked(int number) {
        Asked request = asked.get(number);
        if (request == null) {
            throw new IllegalStateException("request " + number + " was not announced");
        }
        return request;
    }

    private void put(int number, Map<String, Object> line) {
        waiting.put(number, line);
        write();
        progress.run();
    }

    private void write() {
        try {
            Map<String, Object> next;
            while (broken == null && (next = waiting.remove(written)) != null) {
                sink.write(asked(written).index(), JsonText.text(next));
                asked.remove(written);
                written++;
            }
        } catch (IOException e) {
            broken = e;
            stop.run();
        }
    }

    /** What keeps answers from being written, once something did. */
    @Nullable
    IOException broken() {
        return broken;
    }
}
