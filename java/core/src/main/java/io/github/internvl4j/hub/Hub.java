package io.github.internvl4j.hub;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.InsufficientDiskSpaceException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.ModelAccessException;
import io.github.internvl4j.error.ModelNotFoundException;
import io.github.internvl4j.error.NotCachedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A hub of models and the cache of what was downloaded from it: the public API of the Hugging Face hub, and the folders that its
 * own tools use, so that what they have downloaded is found here, and the other way round.
 *
 * <pre>{@code
 * Hub hub = Hub.fromEnvironment();
 * Path folder = hub.pull("OpenGVLab/InternVL3-1B");
 * try (InternVL model = InternVL.load(folder)) { ... }
 * }</pre>
 *
 * <p>Only {@link #pull} uses the network; {@link #find} and {@link #resolve} look at the disk alone. A name is {@code ORG/NAME}, or
 * {@code ORG/NAME@REVISION} with a branch, a tag or a commit; without one it is the branch {@code main}. Thread-safe, and safe
 * beside other processes with the same cache.
 */
public final class Hub {
    private final HubOptions options;
    private final Surroundings surroundings;

    /** A hub and a cache of one's own choice. Nothing is looked at yet. */
    public Hub(HubOptions options) {
        this(options, Surroundings.REAL);
    }

    Hub(HubOptions options, Surroundings surroundings) {
        this.options = Objects.requireNonNull(options, "options");
        this.surroundings = surroundings;
    }

    /** The hub and the cache of {@link HubOptions#fromEnvironment()}. */
    public static Hub fromEnvironment() {
        return new Hub(HubOptions.fromEnvironment());
    }

    /** Which hub and which cache. */
    public HubOptions options() {
        return options;
    }

    /** {@linkplain #pull(String, PullListener, Cancellation) Downloads} what is missing of a model, with nobody who listens. */
    public Path pull(String name) {
        return pull(name, PullListener.none(), null);
    }

    /**
     * Downloads what is missing of a model: its weights in safetensors, its JSON files and its tokenizer, never code or pickles. What
     * an earlier download left is gone on with; every file's size and hash are those that the hub lists, or it is thrown away.
     * Interrupting this thread ends it, and its interrupt status stays set; what has come so far stays for the next time.
     *
     * @param name {@code ORG/NAME} or {@code ORG/NAME@REVISION}
     * @param listener hears of it on this thread
     * @param cancellation ends it from another thread, or null
     * @return the folder of the snapshot, which {@code InternVL.load} takes
     * @throws InvalidOptionException if the name is none
     * @throws ModelNotFoundException if the hub has no such model, or not that revision
     * @throws ModelAccessException if the model has terms to accept, or is not for this token
     * @throws NotCachedException if {@link HubOptions#offline} is set and the model is not in the cache
     * @throws InsufficientDiskSpaceException if there is no room for it; nothing was written then
     * @throws HubException if the hub cannot be reached, or does not send what it lists
     * @throws CancellationException if it was interrupted or cancelled
     */
    public Path pull(String name, PullListener listener, @Nullable Cancellation cancellation) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(listener, "listener");
        ModelName model = ModelName.parse(name);
        if (options.offline()) {
            return cached(model).orElseThrow(() -> notCached(model, ", and HF_HUB_OFFLINE forbids to get it"));
        }
        try {
            return new Pull(options, surroundings, model, listener, cancellation).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancellationException ended = new CancellationException("the pull of " + model + " was interrupted");
            ended.initCause(e);
            throw ended;
        }
    }

    /**
     * The folder of a model that is in the cache as a whole.
     *
     * @param name {@code ORG/NAME} or {@code ORG/NAME@REVISION}
     * @return empty if it is not there, or only a part of it
     * @throws InvalidOptionException if the name is none
     */
    public Optional<Path> find(String name) {
        Objects.requireNonNull(name, "name");
        return cached(ModelName.parse(name));
    }

    /**
     * A checkpoint's folder by what somebody typed: a folder, or the name of a model that is in the cache. A folder that exists
     * wins; what is no name either is taken for a folder, so that loading says what is wrong with it.
     *
     * @throws NotCachedException if it is a name, and the model is not in the cache or only a part of it
     */
    public Path resolve(String folderOrName) {
        Objects.requireNonNull(folderOrName, "folderOrName");
        Optional<ModelName> name = ModelName.find(folderOrName);
        Path folder = Path.of(folderOrName);
        if (name.isEmpty() || Files.exists(folder)) {
            return folder;
        }
        return cached(name.get()).orElseThrow(() -> notCached(name.get(), " and no folder here"));
    }

    private Optional<Path> cached(ModelName name) {
        HubCache cache = new HubCache(options.cache(), name);
        String commit = cache.commit(name);
        return commit != null && cache.isWhole(commit) ? Optional.of(cache.snapshot(commit)) : Optional.empty();
    }

    private NotCachedException notCached(ModelName name, String why) {
        HubCache cache = new HubCache(options.cache(), name);
        String commit = cache.commit(name);
        boolean begun = commit != null && Files.isDirectory(cache.snapshot(commit));
        return new NotCachedException(name + " is " + (begun ? "only in part" : "not") + " in the cache "
                + options.cache() + why + ": \"internvl4j pull " + name + "\" (in Java Hub.pull) would bring it");
    }
}
