package io.github.internvl4j.runtime;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.KvCacheType;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.LoadProgress;
import io.github.internvl4j.MergeRounding;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.Precision;
import io.github.internvl4j.VisionPrecision;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_adapter;
import io.github.internvl4j.internal.ivl_counts;
import io.github.internvl4j.internal.ivl_features;
import io.github.internvl4j.internal.ivl_load;
import io.github.internvl4j.internal.ivl_load_options;
import io.github.internvl4j.internal.ivl_load_progress;
import io.github.internvl4j.internal.ivl_memory_plan;
import io.github.internvl4j.internal.ivl_merge;
import io.github.internvl4j.internal.ivl_model;
import io.github.internvl4j.internal.ivl_model_info;
import io.github.internvl4j.internal.ivl_quantization;
import io.github.internvl4j.internal.ivl_work;
import io.github.internvl4j.tensor.Tensor;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.jspecify.annotations.Nullable;

/** A loaded model in the native runtime, and the questions that can be asked before one is loaded. */
public final class NativeModel implements AutoCloseable {
    private final Handle<ivl_model> handle;
    private final ModelShape info;
    private final String backend;
    private final EventPump events;
    private volatile @Nullable NativeModel draft;
    private final Object vocabularyLock = new Object();
    private @Nullable NativeVocabulary vocabulary; // under its lock

    private NativeModel(ivl_model pointer) {
        handle = new Handle<>("the model", pointer, internvl4j::ivl_model_free);
        events = new EventPump(new NativeRequests(handle), EventPump::daemon);
        try (ivl_model_info described = new ivl_model_info()) {
            handle.call(model -> internvl4j.ivl_model_describe(model, described));
            info = convert(
                    described,
                    texts(handle.use(model -> NativeLibrary.text(out -> internvl4j.ivl_model_texts(model, out)))));
        }
        backend = handle.use(model -> NativeLibrary.text(out -> internvl4j.ivl_model_backend(model, out)));
    }

    /** Loads a checkpoint folder, telling the options' listener after every part. */
    public static NativeModel load(Path directory, LoadOptions options) {
        return load(options, (converted, out) -> {
            try (BytePointer path = NativeLibrary.fileName(directory)) {
                return internvl4j.ivl_load_begin(path, converted, out);
            }
        });
    }

    /** The same for a bare config.json with random weights. */
    public static NativeModel loadRandom(Path configFile, LoadOptions options, long seed) {
        return load(options, (converted, out) -> {
            try (BytePointer path = NativeLibrary.fileName(configFile)) {
                return internvl4j.ivl_load_begin_random(path, converted, seed, out);
            }
        });
    }

    /** Checks all that {@link #loadRandom} does before it makes the first weight, and goes no further. */
    static void beginRandom(Path configFile, LoadOptions options) {
        NativeLibrary.load();
        ivl_load load = new ivl_load();
        try (ivl_load_options converted = convert(options);
                BytePointer path = NativeLibrary.fileName(configFile)) {
            NativeLibrary.check(internvl4j.ivl_load_begin_random(path, converted, 1, load));
        }
        internvl4j.ivl_load_free(load);
    }

    private interface Begin {
        int begin(ivl_load_options options, ivl_load out);
    }

    private static NativeModel load(LoadOptions options, Begin begin) {
        NativeLibrary.load();
        ivl_load load = new ivl_load();
        try (ivl_load_options converted = convert(options)) {
            NativeLibrary.check(begin.begin(converted, load));
        }
        try {
            steps(progress -> internvl4j.ivl_load_step(load, progress), options.listener());
            ivl_model model = new ivl_model();
            NativeLibrary.check(internvl4j.ivl_load_finish(load, model));
            return new NativeModel(model);
        } finally {
            internvl4j.ivl_load_free(load);
        }
    }

    private static void steps(ToIntFunction<ivl_load_progress> step, Consumer<LoadProgress> listener) {
        try (ivl_load_progress progress = new ivl_load_progress()) {
            LoadProgress now;
            do {
                NativeLibrary.check(step.applyAsInt(progress));
                now = new LoadProgress(
                        progress.steps_done(), progress.steps_total(), progress.bytes_done(), progress.bytes_total());
                listener.accept(now);
            } while (now.stepsDone() < now.stepsTotal());
        }
    }

    /**
     * Writes a checkpoint's weights in int8 or int4 into another folder, telling the listener after every tensor, and before these after
     * every layer that is calibrated.
     *
     * @param calibration null: without
     */
    public static void quantize(
            Path directory,
            Path output,
            Precision precision,
            VisionPrecision vision,
            @Nullable Iterator<CalibrationRequest> calibration,
            Consumer<LoadProgress> listener) {
        NativeLibrary.load();
        ivl_quantization quantization = new ivl_quantization();
        int calibrates = calibration == null ? 0 : 1;
        try (BytePointer from = NativeLibrary.fileName(directory);
                BytePointer to = NativeLibrary.fileName(output)) {
            NativeLibrary.check(internvl4j.ivl_quantization_begin(
                    from, to, precision.ordinal(), convert(vision), calibrates, 0, quantization));
        }
        try {
            if (calibration != null) {
                calibrate(quantization, calibration);
            }
            steps(progress -> internvl4j.ivl_quantization_step(quantization, progress), listener);
        } finally {
            internvl4j.ivl_quantization_free(quantization);
        }
    }

    private static void calibrate(ivl_quantization quantization, Iterator<CalibrationRequest> requests) {
        try (LongPointer tokens = new LongPointer(1);
                LongPointer inputs = new LongPointer(1)) {
            tokens.put(0);
            inputs.put(0);
            while (requests.hasNext()) {
                CalibrationRequest request = requests.next();
                Tensor pixels = request.pixels();
                try (IntPointer ids = new IntPointer(request.tokens());
                        FloatPointer data = pixels == null ? new FloatPointer() : new FloatPointer(pixels.data())) {
                    NativeLibrary.check(internvl4j.ivl_quantization_add_request(
                            quantization,
                            ids,
                            request.tokens().length,
                            request.imageToken(),
                            data,
                            pixels == null ? 0 : pixels.size(0),
                            tokens,
                            inputs));
                }
            }
            warnOfFewTokens(tokens.get(), inputs.get());
        }
    }

    private static void warnOfFewTokens(long tokens, long inputs) {
        if (tokens < inputs) {
            System.getLogger("io.github.internvl4j")
                    .log(
                            Level.WARNING,
                            "the calibration has {0,number,#} tokens, fewer than the {1,number,#} inputs of the widest layer:"
                                    + " more or longer prompts make it better",
                            tokens,
                            inputs);
        }
    }

    /** Writes a checkpoint's weights with an adapter merged into them, telling the listener after every tensor. */
    public static void merge(
            Path directory,
            @Nullable Path adapter,
            Path output,
            MergeRounding rounding,
            Consumer<LoadProgress> listener) {
        NativeLibrary.load();
        ivl_merge merge = new ivl_merge();
        try (BytePointer from = NativeLibrary.fileName(directory);
                BytePointer pairs = adapter == null ? null : NativeLibrary.fileName(adapter);
                BytePointer to = NativeLibrary.fileName(output)) {
            NativeLibrary.check(internvl4j.ivl_merge_begin(from, pairs, to, rounding.ordinal(), 0, merge));
        }
        try {
            steps(progress -> internvl4j.ivl_merge_step(merge, progress), listener);
        } finally {
            internvl4j.ivl_merge_free(merge);
        }
    }

    /**
     * Has a smaller model guess what this one will say, from the first request on, before which it must come. It is closed with this one.
     *
     * @throws InvalidOptionException if its vocabulary has another size, or one of the two has a draft or is one already
     */
    public void setDraft(NativeModel smaller) {
        handle.call(model -> smaller.handle.use(other -> internvl4j.ivl_model_set_draft(model, other)));
        draft = smaller;
    }

    /**
     * Takes an adapter into the model's memory.
     *
     * @param directory as PEFT saves it
     * @throws io.github.internvl4j.error.CheckpointException if it is malformed, or of another model
     * @throws io.github.internvl4j.error.UnsupportedModelException if it is of another kind, or the device takes none
     */
    public NativeAdapter loadAdapter(Path directory) {
        ivl_adapter out = new ivl_adapter();
        try (BytePointer path = NativeLibrary.fileName(directory)) {
            handle.call(model -> internvl4j.ivl_adapter_load(model, path, out));
        }
        return new NativeAdapter(out);
    }

    /** What config.json says. */
    public static ModelShape inspect(Path path) {
        NativeLibrary.load();
        try (ivl_model_info out = new ivl_model_info();
                BytePointer text = NativeLibrary.fileName(path)) {
            NativeLibrary.check(internvl4j.ivl_inspect(text, out));
            return convert(out, texts(NativeLibrary.text(texts -> internvl4j.ivl_inspect_texts(text, texts))));
        }
    }

    /** What loading would need. */
    public static MemoryNeeds plan(Path directory, LoadOptions options) {
        NativeLibrary.load();
        try (ivl_memory_plan out = new ivl_memory_plan();
                ivl_load_options converted = convert(options);
                BytePointer text = NativeLibrary.fileName(directory)) {
            NativeLibrary.check(internvl4j.ivl_plan(text, converted, out));
            return new MemoryNeeds(
                    out.weights_mapped(),
                    out.weights_owned(),
                    KvCacheType.values()[out.kv_cache_type()],
                    out.kv_cache_per_token(),
                    out.kv_cache(),
                    out.kv_cache_batch(),
                    out.max_batch(),
                    out.scratch(),
                    out.image_batch(),
                    out.images_together(),
                    0,
                    out.total(),
                    out.available(),
                    NativeLibrary.text(device -> internvl4j.ivl_plan_device(text, converted, device)),
                    NativeLibrary.text(advice -> internvl4j.ivl_plan_advice(text, converted, advice)));
        }
    }

    /** Compares the weights with what the configuration needs. */
    public static CheckpointReport check(Path directory, boolean scanValues) {
        NativeLibrary.load();
        try (BytePointer text = NativeLibrary.fileName(directory)) {
            return Json.read(
                    NativeLibrary.text(out -> internvl4j.ivl_check(text, scanValues ? 1 : 0, out)),
                    CheckpointReport.class);
        }
    }

    /** The library, the processor and the devices. */
    public static SystemReport systemInfo() {
        NativeLibrary.load();
        return Json.read(NativeLibrary.text(internvl4j::ivl_system_info), SystemReport.class);
    }

    /** The model's shape, as loaded. */
    public ModelShape info() {
        return info;
    }

    /** What the model computes and moves. */
    public Work work() {
        try (ivl_work out = new ivl_work()) {
            handle.call(model -> internvl4j.ivl_model_work(model, out));
            return new Work(
                    out.vision_operations(),
                    out.operations_per_token(),
                    out.attention_operations_per_key(),
                    out.head_operations(),
                    out.weight_bytes(),
                    out.kv_bytes_per_key());
        }
    }

    /** What the model runs on: {@code cpu: avx2, 2 threads}. */
    public String backend() {
        return backend;
    }

    /** Runs images through the vision tower and the projector now, in this thread, without adapters. */
    public NativeFeatures encode(Tensor pixels, @Nullable NativeRecording recording) {
        return encode(pixels, recording, List.of());
    }

    /**
     * Runs images through the vision tower and the projector now, in this thread.
     *
     * @param pixels (count, channels, S, S), normalized
     * @param adapters those of the requests that they are for
     * @throws InvalidOptionException if they have another shape
     */
    public NativeFeatures encode(Tensor pixels, @Nullable NativeRecording recording, List<NativeAdapter.Use> adapters) {
        requireImages(pixels.shape());
        ivl_features out = new ivl_features();
        try (FloatPointer data = new FloatPointer(pixels.data())) {
            NativeLibrary.check(handle.use(model -> NativeRecording.with(
                    recording,
                    record -> NativeAdapter.with(
                            adapters,
                            chosen -> internvl4j.ivl_encode(
                                    model, data, pixels.size(), pixels.size(0), chosen, null, record, out)))));
        }
        return new NativeFeatures(out, info.hiddenSize());
    }

    private void requireImages(long... shape) {
        long size = info.imageSize();
        if (shape.length != 4 || shape[1] != info.imageChannels() || shape[2] != size || shape[3] != size) {
            throw new InvalidOptionException("the pixels have the shape " + Arrays.toString(shape)
                    + ", expected [images, " + info.imageChannels() + ", " + size + ", " + size + "]");
        }
    }

    /**
     * Images that are encoded when the first request needs them. Those of equal pixels and salts share one encoding, whoever asks.
     *
     * @param pixels (count, channels, S, S), normalized; copied
     * @param salt what is computed under one salt serves only others of the same
     * @param adapters those of the requests that they are for; of equal images they part those that see them
     * @throws InvalidOptionException if they have another shape
     */
    public NativeFeatures features(Tensor pixels, String salt, List<NativeAdapter.Use> adapters) {
        requireImages(pixels.shape());
        ivl_features out = new ivl_features();
        try (FloatPointer data = new FloatPointer(pixels.data());
                BytePointer content = new BytePointer(digest(data, pixels.size(), salt))) {
            handle.call(model -> NativeAdapter.with(
                    adapters,
                    chosen -> internvl4j.ivl_features_create(
                            model, data, pixels.size(), pixels.size(0), content, content.capacity(), chosen, out)));
        }
        return new NativeFeatures(out, info.hiddenSize());
    }

    private static byte[] digest(FloatPointer pixels, long count, String salt) {
        try (BytePointer bytes = new BytePointer(pixels)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(salt.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            digest.update(bytes.capacity(count * Float.BYTES).asByteBuffer());
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * A JSON schema that answers of this model are to satisfy.
     *
     * @param tokens the bytes of each of the model's tokens; asked for once
     * @throws io.github.internvl4j.error.SchemaException if it cannot be used
     */
    public NativeGrammar grammar(String schema, Supplier<byte[][]> tokens) {
        NativeVocabulary known;
        synchronized (vocabularyLock) {
            requireOpen();
            if (vocabulary == null) {
                vocabulary = new NativeVocabulary(tokens.get());
            }
            known = vocabulary;
        }
        return new NativeGrammar(known, schema);
    }

    /**
     * Hands a request to the model's scheduler, which computes all requests together.
     *
     * @param receiver gets its events, in their order, on another thread; it must not wait
     * @return the request's number
     */
    public long submit(NativeRequest request, Consumer<RequestEvent> receiver) {
        return events.submit(request, receiver);
    }

    /** The same for a thread that waits for the events. */
    public NativeAnswer submit(NativeRequest request) {
        return new NativeAnswer(events, request);
    }

    /** The request's last event will say so, unless it has ended. */
    public void cancel(long request) {
        events.cancel(request);
    }

    /** Ends a request, whose receiver gets no event any more. */
    public void drop(long request) {
        events.drop(request);
    }

    /** @throws ClosedException if the model is closed */
    public void requireOpen() {
        handle.use(model -> model);
    }

    /** What the scheduler does, and did so far. */
    public SchedulerCounts counts() {
        try (ivl_counts out = new ivl_counts()) {
            handle.call(model -> internvl4j.ivl_model_counts(model, out));
            return new SchedulerCounts(
                    out.running(),
                    out.waiting(),
                    out.blocks_used(),
                    out.blocks(),
                    out.prompt_tokens(),
                    out.reused_tokens(),
                    out.new_tokens(),
                    out.images(),
                    out.shared_images(),
                    out.preemptions(),
                    out.passes(),
                    out.guessed_tokens(),
                    out.right_tokens(),
                    out.drafted_tokens(),
                    out.right_drafted_tokens(),
                    out.draft_failures());
        }
    }

    /** Cancels what is in flight, waits for it, frees the weights. Idempotent, from any thread. */
    @Override
    public void close() {
        handle.useIfOpen(model -> NativeLibrary.check(internvl4j.ivl_model_close(model)));
        handle.close();
        synchronized (vocabularyLock) {
            if (vocabulary != null) {
                vocabulary.close();
            }
        }
        NativeModel smaller = draft;
        if (smaller != null) {
            smaller.close();
        }
    }

    private static int convert(VisionPrecision vision) {
        return switch (vision) {
            case AS_STORED -> 0;
            case INT8 -> Precision.INT8.ordinal();
            case INT4 -> Precision.INT4.ordinal();
        };
    }

    private static ivl_load_options convert(LoadOptions options) {
        ivl_load_options converted = new ivl_load_options();
        internvl4j.ivl_load_options_init(converted);
        converted.device().putString(options.device().name());
        converted.affinity().putString(options.affinity());
        return converted
                .precision(options.precision().ordinal())
                .quantize_vision(convert(options.visionPrecision()))
                .kv_cache(options.kvCache().ordinal())
                .activations(options.activations().ordinal())
                .threads(options.threads())
                .map_weights(options.mapWeights() ? 1 : 0)
                .context_length(options.contextLength())
                .max_batch(options.maxBatch())
                .kv_memory(options.kvMemory())
                .memory_limit(options.memoryLimit());
    }

    /** What of a model's shape has no fixed length. */
    private record Texts(String conversationTemplate, String architecture, List<Integer> eosTokens) {}

    private static Texts texts(String json) {
        return Json.read(json, Texts.class);
    }

    private static ModelShape convert(ivl_model_info info, Texts texts) {
        return new ModelShape(
                info.image_size(),
                info.image_channels(),
                info.tokens_per_image(),
                info.context_length(),
                info.vocabulary_size(),
                info.hidden_size(),
                info.vision_layers(),
                info.decoder_layers(),
                info.parameters(),
                Precision.values()[info.stored()],
                Precision.values()[info.precision()],
                KvCacheType.values()[info.kv_cache()],
                ActivationType.values()[info.activations()],
                List.copyOf(texts.eosTokens()),
                texts.conversationTemplate(),
                ModelInfo.Layout.values()[info.layout()],
                texts.architecture(),
                new Tiling(info.dynamic_tiles() != 0, info.thumbnail() != 0, info.least_tiles(), info.most_tiles()),
                info.image_token() < 0 ? OptionalInt.empty() : OptionalInt.of(info.image_token()));
    }
}
