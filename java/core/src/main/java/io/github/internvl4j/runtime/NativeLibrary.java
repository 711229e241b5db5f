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
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.host.Garbage;
import io.github.internvl4j.host.NativeCode;
import io.github.internvl4j.host.Shortage;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_adapter_info;
import io.github.internvl4j.internal.ivl_adapter_use;
import io.github.internvl4j.internal.ivl_adapters;
import io.github.internvl4j.internal.ivl_counts;
import io.github.internvl4j.internal.ivl_event;
import io.github.internvl4j.internal.ivl_load_options;
import io.github.internvl4j.internal.ivl_load_progress;
import io.github.internvl4j.internal.ivl_machine;
import io.github.internvl4j.internal.ivl_memory_plan;
import io.github.internvl4j.internal.ivl_model_info;
import io.github.internvl4j.internal.ivl_request;
import io.github.internvl4j.internal.ivl_sampling;
import io.github.internvl4j.internal.ivl_text;
import io.github.internvl4j.internal.ivl_training_options;
import io.github.internvl4j.internal.ivl_training_plan;
import io.github.internvl4j.internal.ivl_work;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** Loads the native library, and turns its statuses into exceptions. */
public final class NativeLibrary {
    private static final String ARTIFACT = "io.github.internvl4j:internvl4j-native";

    private static boolean loaded;

    private NativeLibrary() {}

    /**
     * Loads the library if it is not loaded yet.
     *
     * @throws NativeLibraryException if it cannot be loaded on this machine, with the cause and what would help; the next
     *     call tries again
     */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        NativeCode.load(ARTIFACT, NativeLibrary::requireMatchingBinding, internvl4j.class);
        try {
            Garbage.cleaner();
        } catch (OutOfMemoryError e) {
            throw new NativeLibraryException("the native library cannot be used: " + Shortage.of(e), e);
        }
        loaded = true;
    }

    /**
     * The classes and the library come in two jars. A binding of another build would write past the end of structs that
     * have changed: refuse it before it can.
     */
    private static void requireMatchingBinding() {
        long sum = Stream.of(
                        ivl_model_info.class,
                        ivl_load_options.class,
                        ivl_memory_plan.class,
                        ivl_load_progress.class,
                        ivl_work.class,
                        ivl_sampling.class,
                        ivl_request.class,
                        ivl_event.class,
                        ivl_counts.class,
                        ivl_machine.class,
                        ivl_adapters.class,
                        ivl_adapter_use.class,
                        ivl_adapter_info.class,
                        ivl_training_options.class,
                        ivl_training_plan.class)
                .mapToLong(Loader::sizeof)
                .sum();
        if (sum != internvl4j.ivl_struct_bytes()) {
            throw new NativeLibraryException(
                    "the binding was compiled for another build of the library (structs of " + sum
                            + " bytes, expected " + internvl4j.ivl_struct_bytes() + "); take the jar of " + ARTIFACT
                            + " and the one with the platform's classifier of the same version");
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

    /**
     * The name under which the library opens a file or a folder.
     *
     * @throws CheckpointException if it is on another file system, where a file of the same name would be another
     */
    static BytePointer fileName(Path file) {
        if (!FileProblems.isOnDisk(file)) {
            throw new CheckpointException(FileProblems.notOnDisk(file, "the native library"));
        }
        byte[] name = FileProblems.nativeName(file);
        return new BytePointer(Arrays.copyOf(name, name.length + 1));
    }
}
