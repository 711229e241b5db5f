package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.text.ConversationTemplates;
import java.nio.file.Path;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model, and how it is loaded. */
final class ModelOptions {
    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Mixin
    private ComputeOptions compute;

    @Option(
            names = "--context",
            defaultValue = "0",
            paramLabel = "N",
            description = "Longest conversation in tokens; 0: the checkpoint's (default).")
    private int context;

    @Option(names = "--no-mmap", description = "Read the weights into memory instead of mapping the files.")
    private boolean noMmap;

    @Option(
            names = "--memory-limit",
            defaultValue = "0",
            paramLabel = "BYTES",
            description = "What the memory plan must fit into; 0: what is available (default), -1: no check.")
    private long memoryLimit;

    @Mixin
    private KvMemoryOption kvMemory;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            description = "Conversation template, whatever the checkpoint says: ${COMPLETION-CANDIDATES}.",
            completionCandidates = TemplateNames.class)
    private @Nullable String template;

    @Mixin
    private DraftOption draft;

    /** The names of the templates. */
    private static final class TemplateNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ConversationTemplates.names().iterator();
        }
    }

    /** For one request at a time. */
    LoadOptions loadOptions() {
        return draft.of(kvMemory.of(compute.of(LoadOptions.defaults())))
                .contextLength(context)
                .mapWeights(!noMmap)
                .maxBatch(1)
                .memoryLimit(memoryLimit)
                .template(template);
    }

    /** What was typed: a folder, or a name. */
    String typed() {
        return model.typed();
    }

    /** Where the checkpoint is. */
    Path folder() {
        return model.path();
    }

    /** Loads, with a progress bar where someone is watching and it takes long enough to be seen. */
    InternVL load(Streams streams, LoadOptions options) {
        try (LoadBar bar = new LoadBar("loading", streams)) {
            return InternVL.load(model.path(), options.listener(bar));
        }
    }
}
