package io.github.internvl4j.bench.peers;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import de.kherud.llama.args.Sampler;
import java.util.Objects;
import java.util.Random;

/** llama.cpp through its Java binding, a token at a time as its users get them. */
final class LlamaCpp implements Contender {
    static final String FLASH = "flash attention";

    private final Task task;
    private final String settings;
    private final LlamaModel model;
    private final String prompt;

    LlamaCpp(Trial trial) throws Exception {
        task = trial.task();
        boolean flash = trial.peer().variant().equals(FLASH);
        settings = "%s, %d threads, %s flash attention"
                .formatted(Artifact.of("de.kherud", "llama"), trial.threads(), flash ? "with" : "no");
        Shape.Decoder shape = Shape.Decoder.of(task.shape());
        LlamaModel.setLogger(LogFormat.TEXT, (level, text) -> System.out.print(text));
        ModelParameters parameters = new ModelParameters()
                .setModel(Objects.requireNonNull(trial.gguf()).toString())
                .setThreads(trial.threads())
                .setThreadsBatch(trial.threads())
                .setCtxSize(shape.context())
                .setGpuLayers(0)
                .setParallel(1);
        if (flash) {
            parameters.enableFlashAttn();
        }
        model = new LlamaModel(parameters);
        StringBuilder text = new StringBuilder();
        new Random(1)
                .ints(Math.max(1, task.tokens()), OneCharacterTokens.FIRST, shape.vocabulary())
                .forEach(id -> text.append(OneCharacterTokens.piece(id)));
        prompt = text.toString();
        int tokens = model.encode(prompt).length;
        if (tokens != Math.max(1, task.tokens())) {
            throw new IllegalStateException("llama.cpp makes " + tokens + " tokens of a prompt of " + task.tokens());
        }
    }

    @Override
    public double turn() {
        return task.kind() == Task.Kind.PREFILL ? prefill() : decode();
    }

    private double prefill() {
        long started = System.nanoTime();
        LlamaIterator generation = begin(1, false);
        generation.next();
        double seconds = (System.nanoTime() - started) / 1e9;
        drain(generation);
        return seconds;
    }

    /**
     * The binding's server goes on by itself, whether its tokens are asked for or not: so a turn is a request of its own,
     * which finds all of the prompt but its last token in the cache.
     */
    private double decode() {
        LlamaIterator generation = begin(1 + TOKENS_A_TURN, true);
        generation.next();
        long started = System.nanoTime();
        for (int i = 0; i < TOKENS_A_TURN; i++) {
            generation.next();
        }
        double seconds = (System.nanoTime() - started) / 1e9 / TOKENS_A_TURN;
        drain(generation);
        return seconds;
    }

    private LlamaIterator begin(int newTokens, boolean cached) {
        return model.generate(new InferenceParameters(prompt)
                        .setNPredict(newTokens)
                        .setCachePrompt(cached)
                        .setIgnoreEos(true)
                        .setTopK(1)
                        .setSamplers(Sampler.TOP_K))
                .iterator();
    }

    private static void drain(LlamaIterator generation) {
        while (generation.hasNext()) {
            generation.next();
        }
    }

    @Override
    public String settings() {
        return settings;
    }

    @Override
    public void close() {
        model.close();
    }
}
