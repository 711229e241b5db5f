package io.github.internvl4j.cli;

import io.github.internvl4j.error.NotCachedException;
import io.github.internvl4j.hub.Hub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/** What {@code --model} names: a folder, or a model in the hub's cache. A folder that exists wins. */
final class ModelFolder {
    static final String DESCRIPTION = "Checkpoint folder, or ORG/NAME[@REVISION] of one that was pulled.";

    private final String typed;
    private final Path folder;
    private final Supplier<Hub> hub;

    /** @param hub asked only if there is no such folder */
    ModelFolder(String typed, Supplier<Hub> hub) {
        this.typed = typed;
        folder = FileNames.option(typed);
        this.hub = hub;
    }

    String typed() {
        return typed;
    }

    /** @throws NotCachedException if it is a name, and the model is not in the cache */
    Path path() {
        boolean ascii = typed.chars().allMatch(c -> c < 0x80); // as names are, and every locale's folders
        return Files.exists(folder) || !ascii ? folder : hub.get().resolve(typed);
    }
}
