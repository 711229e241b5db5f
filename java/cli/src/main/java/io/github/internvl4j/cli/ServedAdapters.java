package io.github.internvl4j.cli;

import io.github.internvl4j.Adapter;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A server's adapters: those that were named, and those of a folder that is looked at again and again, each a folder in it. One that comes
 * or changes is loaded, one that goes is given back; one that cannot be loaded is told of once and left out.
 */
final class ServedAdapters implements AutoCloseable {
    private static final String WEIGHTS = "adapter_model.safetensors";

    private final InternVL model;
    private final @Nullable Path folder;
    private final Consumer<String> warn;
    private final Map<String, Adapter> named = new LinkedHashMap<>();
    private final Map<String, Found> found = new TreeMap<>();

    /**
     * @param modified when its weights were written
     * @param adapter null if it cannot be loaded
     */
    private record Found(FileTime modified, @Nullable Adapter adapter) {
        void close() {
            if (adapter != null) {
                adapter.close();
            }
        }
    }

    /**
     * @param typed NAME=DIR each
     * @param folder of more, or null
     * @param warn told what cannot be loaded
     */
    ServedAdapters(InternVL model, List<String> typed, @Nullable Path folder, Consumer<String> warn) {
        this.model = model;
        this.folder = folder;
        this.warn = warn;
        try {
            for (String each : typed) {
                int sign = each.indexOf('=');
                if (sign < 1 || named.containsKey(each.substring(0, sign))) {
                    throw new InvalidOptionException("--adapter is " + each + ", expected NAME=DIR, each name once");
                }
                named.put(each.substring(0, sign), model.loadAdapter(FileNames.option(each.substring(sign + 1))));
            }
            look();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /**
     * By name; those that were named come first, and win.
     *
     * @param taken the model's own name, which none of the folder's has
     */
    Map<String, Adapter> all(String taken) {
        Map<String, Adapter> all = new LinkedHashMap<>(named);
        found.forEach((name, each) -> {
            if (each.adapter() != null && !name.equals(taken)) {
                all.putIfAbsent(name, each.adapter());
            }
        });
        return all;
    }

    /**
     * Looks at the folder.
     *
     * @return frees what is gone, once nobody is given it any more; null if nothing has changed
     */
    @Nullable
    Runnable look() {
        if (folder == null) {
            return null;
        }
        Map<String, FileTime> there = there(folder);
        Map<String, Found> gone = new TreeMap<>(found);
        gone.entrySet().removeIf(each -> each.getValue().modified().equals(there.get(each.getKey())));
        found.keySet().removeAll(gone.keySet());
        boolean changed = !gone.isEmpty();
        for (Map.Entry<String, FileTime> each : there.entrySet()) {
            if (!found.containsKey(each.getKey())) {
                found.put(each.getKey(), new Found(each.getValue(), loaded(folder.resolve(each.getKey()))));
                changed = true;
            }
        }
        return changed ? () -> gone.values().forEach(Found::close) : null;
    }

    /** Folders with weights, and when these were written. */
    private Map<String, FileTime> there(Path folder) {
        Map<String, FileTime> there = new TreeMap<>();
        try (Stream<Path> folders = Files.list(folder)) {
            for (Path each : folders.toList()) {
                Path weights = each.resolve(WEIGHTS);
                if (Files.isRegularFile(weights)) {
                    there.put(each.getFileName().toString(), Files.getLastModifiedTime(weights));
                }
            }
        } catch (IOException e) {
            warn.accept("the adapters in " + folder + " cannot be looked at: " + Failures.describe(e));
            found.forEach((name, each) -> there.put(name, each.modified()));
        }
        return there;
    }

    private @Nullable Adapter loaded(Path directory) {
        try {
            return model.loadAdapter(directory);
        } catch (InternVLException e) {
            warn.accept("an adapter is left out: " + Failures.oneLine(e.getMessage()));
            return null;
        }
    }

    @Override
    public void close() {
        named.values().forEach(Adapter::close);
        found.values().forEach(Found::close);
    }
}
