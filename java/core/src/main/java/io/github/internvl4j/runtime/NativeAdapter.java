package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_adapter;
import io.github.internvl4j.internal.ivl_adapter_info;
import io.github.internvl4j.internal.ivl_adapter_use;
import io.github.internvl4j.internal.ivl_adapters;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An adapter of a model in the native runtime. A request that was submitted with it needs it no more. */
public final class NativeAdapter implements AutoCloseable {
    private final Handle<ivl_adapter> handle;
    private final long bytes;
    private final boolean seesImages;

    NativeAdapter(ivl_adapter pointer) {
        handle = new Handle<>("the adapter", pointer, internvl4j::ivl_adapter_free);
        try (ivl_adapter_info info = new ivl_adapter_info()) {
            handle.call(adapter -> internvl4j.ivl_adapter_describe(adapter, info));
            bytes = info.bytes();
            seesImages = info.sees_images() != 0;
        }
    }

    /** Of its pairs. */
    public long bytes() {
        return bytes;
    }

    /** Whether it changes what images look like to the decoder. */
    public boolean seesImages() {
        return seesImages;
    }

    /**
     * How much of an adapter a request takes.
     *
     * @param weight what it adds is multiplied by this
     */
    public record Use(NativeAdapter adapter, float weight) {}

    /** Runs the body with the adapters as the runtime takes them, or with null if there are none. */
    static <T> T with(List<Use> uses, Function<@Nullable ivl_adapters, T> body) {
        return uses.isEmpty() ? body.apply(null) : with(uses, new ArrayList<>(), body);
    }

    /** Holds every handle open while the array of their pointers is in use. */
    private static <T> T with(List<Use> uses, List<ivl_adapter> held, Function<@Nullable ivl_adapters, T> body) {
        if (held.size() < uses.size()) {
            return uses.get(held.size()).adapter().handle.use(pointer -> {
                held.add(pointer);
                return with(uses, held, body);
            });
        }
        try (ivl_adapter_use array = new ivl_adapter_use(held.size());
                ivl_adapters all = new ivl_adapters()) {
            for (int i = 0; i < held.size(); i++) {
                array.position(i).adapter(held.get(i)).weight(uses.get(i).weight());
            }
            return body.apply(all.uses(array.position(0)).count(held.size()));
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
