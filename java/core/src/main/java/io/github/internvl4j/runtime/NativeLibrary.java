package io.github.internvl4j.runtime;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.NativeLibraryException;
import io.github.internvl4j.error.NotFiniteException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_load_options;
import io.github.internvl4j.internal.ivl_load_progress;
import io.github.internvl4j.internal.ivl_machine;
import io.github.internvl4j.internal.ivl_memory_plan;
import io.github.internvl4j.internal.ivl_model_info;
import io.github.internvl4j.internal.ivl_sampling;
import io.github.internvl4j.internal.ivl_text;
import io.github.internvl4j.internal.ivl_token;
import io.github.internvl4j.internal.ivl_work;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CancellationException;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** Loads the native library, and turns its statuses into exceptions. */
public final class NativeLibrary {
    private static final String MAX_PHYSICAL_BYTES = "org.bytedeco.javacpp.maxPhysicalBytes";

    private static @Nullable Throwable failure;
    private static boolean loaded;

    private NativeLibrary() {}

    /**
     * Loads the library if it is not loaded yet.
     *
     * @throws NativeLibraryException if it cannot be loaded on this machine; every later call repeats it
     */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        if (failure == null) {
            // JavaCPP counts the process' resident memory, mapped weights included, against four times the Java heap,
            // and stalls every allocation past that. Its own memory is small; ours it does not manage.
            if (System.getProperty(MAX_PHYSICAL_BYTES) == null) {
                System.setProperty(MAX_PHYSICAL_BYTES, "0");
            }
            try {
                Loader.load(internvl4j.class);
                requireMatchingBinding();
                loaded = true;
                return;
            } catch (LinkageError | RuntimeException e) {
                failure = e;
            }
        }
        throw new NativeLibraryException(
                "the native library cannot be loaded on " + System.getProperty("os.name") + " "
                        + System.getProperty("os.arch") + ": " + failure
                        + "; the jar internvl4j-native with a classifier for this platform must be on the class path",
                failure);
    }

    /**
     * JavaCPP unpacks libraries into a cache and takes what it finds there for the same if name, date and size are. A
     * binding of another build would write past the end of structs that have changed: refuse it before it can.
     */
    private static void requireMatchingBinding() {
        long sum = Stream.of(
                        ivl_model_info.class,
                        ivl_load_options.class,
                        ivl_memory_plan.class,
                        ivl_load_progress.class,
                        ivl_work.class,
                        ivl_sampling.class,
                        ivl_token.class,
                        ivl_machine.class)
                .mapToLong(Loader::sizeof)
                .sum();
        if (sum != internvl4j.ivl_struct_bytes()) {
            throw new IllegalStateException("the binding was compiled for another build of the library (structs of " + sum
                    + " bytes, expected " + internvl4j.ivl_struct_bytes()
                    + "); delete JavaCPP's cache folder, ~/.javacpp/cache unless org.bytedeco.javacpp.cacheDir says otherwise");
        }
    }

    /** The version the native library was built as. */
    public static String version() {
        load();
        return utf8(internvl4j.ivl_version());
    }

    /**
     * Throws what a status stands for.
     *
     * @throws CancellationException for a cancelled call
     * @throws InternVLException for every other failure
     */
    static void check(int status) {
        if (status == internvl4j.IVL_OK) {
            return;
        }
        String message = utf8(internvl4j.ivl_last_error());
        throw switch (status) {
            case internvl4j.IVL_INVALID_ARGUMENT -> new InvalidOptionException(message);
            case internvl4j.IVL_CHECKPOINT, internvl4j.IVL_IO -> new CheckpointException(message);
            case internvl4j.IVL_UNSUPPORTED -> new UnsupportedModelException(message);
            case internvl4j.IVL_OUT_OF_MEMORY -> new InsufficientMemoryException(message);
            case internvl4j.IVL_CONTEXT_LENGTH -> new ContextLengthException(message);
            case internvl4j.IVL_CANCELLED -> new CancellationException(message);
            case internvl4j.IVL_CLOSED -> new ClosedException(message);
            case internvl4j.IVL_NOT_FINITE -> new NotFiniteException(message);
            default -> new NativeLibraryException("the native library failed (status " + status + "): " + message);
        };
    }

    /** A text that a call hands out through its last parameter. */
    static String text(ToIntFunction<ivl_text> call) {
        ivl_text text = new ivl_text();
        check(call.applyAsInt(text));
        try {
            return utf8(internvl4j.ivl_text_data(text));
        } finally {
            internvl4j.ivl_text_free(text);
        }
    }

    static String utf8(@Nullable BytePointer text) {
        return text == null || text.isNull() ? "" : text.getString(StandardCharsets.UTF_8);
    }

    static BytePointer utf8(String text) {
        return new BytePointer(text, StandardCharsets.UTF_8);
    }
}
