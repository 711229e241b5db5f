package io.github.internvl4j.server;

import io.github.internvl4j.InternVL;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The model that is served.
 *
 * @param name that requests call it by
 * @param created when it was loaded, in seconds since 1970
 * @param fingerprint as {@link InternVL#fingerprint}
 */
record Served(String name, InternVL model, Metrics metrics, long created, String fingerprint) {
    /** A model that has just been loaded. */
    static Served now(String name, InternVL model, Metrics metrics) {
        return new Served(name, model, metrics, System.currentTimeMillis() / 1000, model.fingerprint());
    }

    /** As {@code /v1/models} lists it. */
    Map<String, Object> entry() {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", name);
        entry.put("object", "model");
        entry.put("created", created);
        entry.put("owned_by", "internvl4j");
        entry.put("max_model_len", model.info().contextLength());
        return entry;
    }
}
