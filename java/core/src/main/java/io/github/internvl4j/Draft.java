package io.github.internvl4j;

import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.runtime.MemoryNeeds;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A smaller checkpoint that guesses what a model will say: what the two must have in common, and the room for both. */
final class Draft {
    private final Path directory;
    private final ModelInfo info;
    private final Path model;

    private Draft(Path directory, Path model) {
        this.directory = directory;
        this.model = model;
        info = InternVL.inspect(directory);
    }

    /** The one that the options name for the model in a folder, or null. */
    static @Nullable Draft of(LoadOptions options, Path model) {
        Path directory = options.draft();
        return directory == null ? null : new Draft(directory, model);
    }

    /**
     * A token must mean the same in both.
     *
     * @throws InvalidOptionException with the first difference
     */
    void requireTokens(int vocabulary, Tokenizer tokenizer) {
        int own = info.vocabularySize();
        if (own != vocabulary) {
            throw wrong("its vocabulary has " + own + " tokens, but that of " + model + " has " + vocabulary);
        }
        Tokenizer other = Tokenizer.load(directory);
        for (int id = 0; id < Math.max(tokenizer.vocabularySize(), other.vocabularySize()); id++) {
            String there = text(other, id);
            String here = text(tokenizer, id);
            if (!there.equals(here)) {
                throw wrong("its token " + id + " is " + there + ", but " + here + " in " + model);
            }
        }
    }

    private static String text(Tokenizer tokenizer, int id) {
        return tokenizer.contains(id) ? "'" + tokenizer.tokenText(id) + "'" : "none";
    }

    private InvalidOptionException wrong(String difference) {
        return new InvalidOptionException(
                "draft is " + directory + ": " + difference + "; expected a checkpoint with the model's tokenizer");
    }

    /** What both need. Where it is left open how many requests there are together, they are as many as both have room for. */
    MemoryNeeds plan(LoadOptions options) {
        MemoryNeeds alone = NativeModel.plan(model, options);
        MemoryNeeds own = NativeModel.plan(directory, options(options, alone.maxBatch()));
        MemoryNeeds both = alone.andDraft(own.total());
        long limit = limit(options, both);
        if (options.maxBatch() > 0 || both.total() <= limit) {
            return both;
        }
        LoadOptions smaller = options.memoryLimit(Math.max(1, limit - own.total()));
        MemoryNeeds fewer = NativeModel.plan(model, smaller);
        return fewer.andDraft(
                NativeModel.plan(directory, options(options, fewer.maxBatch())).total());
    }

    /**
     * As {@link #plan}.
     *
     * @throws InsufficientMemoryException if there is no room for both; each alone is looked at when it is loaded
     */
    MemoryNeeds requireRoom(LoadOptions options) {
        MemoryNeeds both = plan(options);
        long limit = limit(options, both);
        if (both.total() > limit) {
            throw new InsufficientMemoryException("the model in " + model + " needs " + (both.total() - both.draft())
                    + " bytes and its draft in " + directory + " " + both.draft() + ", but " + limit
                    + " are there for both: a smaller draft, a shorter context or fewer requests together need less");
        }
        return both;
    }

    private static long limit(LoadOptions options, MemoryNeeds needs) {
        long limit = options.memoryLimit();
        return limit == 0 ? needs.available() : limit == LoadOptions.UNLIMITED ? Long.MAX_VALUE : limit;
    }

    /** The model with its draft. */
    NativeModel load(LoadOptions options) {
        NativeModel target = NativeModel.load(model, options);
        try {
            NativeModel smaller = NativeModel.load(
                    directory, options(options, options.maxBatch()).listener(progress -> {}));
            try {
                target.setDraft(smaller);
            } catch (RuntimeException | Error e) {
                smaller.close();
                throw e;
            }
            return target;
        } catch (RuntimeException | Error e) {
            target.close();
            throw e;
        }
    }

    /** As the model, but for what is the model's own: its context and the bytes of its cache. */
    private LoadOptions options(LoadOptions options, int maxBatch) {
        return options.contextLength(Math.min(options.contextLength(), info.contextLength()))
                .kvMemory(0)
                .maxBatch(maxBatch);
    }
}
