package io.github.internvl4j.server;

import io.github.internvl4j.Adapter;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.server.openai.JsonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The model that is served, as it is or with an adapter.
 *
 * @param name that requests call it by
 * @param base that they call it by without an adapter
 * @param adapters by the names that requests call the model by for them
 * @param adapter that it answers with, or null
 * @param created when it was loaded, in seconds since 1970
 * @param fingerprint as {@link InternVL#fingerprint}
 */
record Served(
        String name,
        String base,
        Map<String, Adapter> adapters,
        @Nullable Adapter adapter,
        InternVL model,
        Metrics metrics,
        long created,
        String fingerprint) {
    /** A model that has just been loaded. */
    static Served now(String name, InternVL model, Map<String, Adapter> adapters, Metrics metrics) {
        long created = System.currentTimeMillis() / 1000;
        return new Served(name, name, adapters, null, model, metrics, created, model.fingerprint());
    }

    /**
     * What a request means that calls the model so.
     *
     * @param any whether a name that is none of its own means the model, too
     * @throws ApiError if it is none
     */
    Served called(@Nullable String asked, boolean any) {
        Adapter chosen = asked == null ? null : adapters.get(asked);
        if (asked == null || chosen == null) {
            if (asked != null && !any && !asked.equals(base)) {
                throw ApiError.unknownModel(JsonText.shortened(asked), names());
            }
            return this;
        }
        return new Served(asked, base, adapters, chosen, model, metrics, created, fingerprint);
    }

    private String names() {
        return Stream.concat(Stream.of(base), adapters.keySet().stream()).collect(Collectors.joining(", "));
    }

    /** The settings with its adapter. */
    GenerationConfig of(GenerationConfig config) {
        return adapter == null ? config : config.adapter(adapter);
    }

    /** As {@code /v1/models} lists them: the model, then its adapters. */
    List<Map<String, Object>> entries() {
        List<Map<String, Object>> entries = new ArrayList<>();
        entries.add(entry());
        adapters.keySet().forEach(each -> entries.add(called(each, false).entry()));
        return entries;
    }

    /** One of these. */
    Map<String, Object> entry() {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", name);
        entry.put("object", "model");
        entry.put("created", created);
        entry.put("owned_by", "internvl4j");
        entry.put("max_model_len", model.info().contextLength());
        if (adapter != null) {
            entry.put("parent", base);
        }
        return entry;
    }
}
