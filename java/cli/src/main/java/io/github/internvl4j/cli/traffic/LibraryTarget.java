package io.github.internvl4j.cli.traffic;

import io.github.internvl4j.Chunk;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/** A model in this process: each chunk with text counts as a token. */
public final class LibraryTarget implements Target {
    private final InternVL model;
    private final Executor threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "load");
        thread.setDaemon(true);
        return thread;
    });

    public LibraryTarget(InternVL model) {
        this.model = model;
    }

    @Override
    public CompletableFuture<?> ask(Arrivals.Arrival arrival, Runnable token) {
        Prompt prompt = arrival.image() == null
                ? Prompt.of(arrival.question())
                : Prompt.of(arrival.question(), arrival.image());
        GenerationConfig config = GenerationConfig.greedy(arrival.newTokens());
        return CompletableFuture.runAsync(
                () -> model.generate(prompt, config, chunk -> tell(chunk, token), null), threads);
    }

    private static void tell(Chunk chunk, Runnable token) {
        if (!chunk.text().isEmpty()) { // as an endpoint tells it
            token.run();
        }
    }
}
