package io.github.internvl4j.bench.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** An engine's own llama-bench, started anew for each turn; it warms itself up. */
final class LlamaBench implements Contender {
    /** More than the others take in a turn, since it pays for a process and a prompt each time. */
    private static final int NEW_TOKENS = 32;

    private final List<String> command;
    private String settings = "";

    LlamaBench(Trial trial) {
        Side side = trial.peer();
        command = command(
                Objects.requireNonNull(trial.llamaBench()).toString(),
                Objects.requireNonNull(trial.gguf()).toString(),
                trial.task(),
                side,
                trial.threads());
    }

    static List<String> command(String program, String gguf, Task task, Side side, int threads) {
        List<String> command = new ArrayList<>(List.of(program, "-m", gguf));
        command.addAll(List.of("-t", Integer.toString(threads), "-ngl", "0", "-r", "1", "-o", "json"));
        command.addAll(List.of("-fa", side.variant().equals(LlamaCpp.FLASH) ? "1" : "0"));
        boolean ik = side.engine() == Engine.IK_LLAMA_CPP;
        if (ik) {
            // Its rows are interleaved while it loads: its faster way.
            command.addAll(List.of("-rtr", "1"));
        }
        if (task.kind() == Task.Kind.PREFILL) {
            command.addAll(List.of("-p", Integer.toString(task.tokens()), "-n", "0"));
        } else if (task.tokens() == 0) {
            command.addAll(List.of("-p", "0", "-n", Integer.toString(NEW_TOKENS)));
        } else if (ik) {
            command.addAll(List.of("-p", "0", "-n", "0", "-gp", task.tokens() + "," + NEW_TOKENS));
        } else {
            command.addAll(
                    List.of("-p", "0", "-n", Integer.toString(NEW_TOKENS), "-d", Integer.toString(task.tokens())));
        }
        return command;
    }

    @Override
    public double turn() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(command.get(0) + " ended with status " + status);
        }
        LlamaBenchOutput result = LlamaBenchOutput.parse(output);
        settings = result.build() + ", " + String.join(" ", command.subList(3, command.size()));
        return result.seconds();
    }

    @Override
    public String settings() {
        return settings;
    }

    @Override
    public void close() {}
}
