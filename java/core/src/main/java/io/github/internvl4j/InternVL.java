package io.github.internvl4j;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.host.CheckpointFiles;
import io.github.internvl4j.host.FirstUse;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.runtime.CalibrationRequest;
import io.github.internvl4j.runtime.CheckpointReport;
import io.github.internvl4j.runtime.NativeAdapter;
import io.github.internvl4j.runtime.NativeAnswer;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeLibrary;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRecording;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.Tokenizer;
import io.github.internvl4j.text.Turn;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An InternVL-Chat model, loaded from its published checkpoint folder.
 *
 * <pre>{@code
 * try (InternVL model = InternVL.load(Path.of("InternVL-Chat-V1-2"));
 *         Chat chat = model.chat()) {
 *     Reply reply = chat.ask("Please describe the image shortly.", Image.read(Path.of("image.jpg")));
 *     System.out.println(reply.text());
 * }
 * }</pre>
 *
 * <p>Thread-safe: any number of threads may ask at once. The runtime computes one step at a time, and they take turns. Close it
 * to free the weights; closing while others ask makes their calls throw {@link ClosedException}.
 */
public final class InternVL implements AutoCloseable {
    private final NativeModel model;
    private final PromptReader reader;
    private final LoadOptions options;
    private final ModelInfo info;
    private final String fingerprint;
    // Closed with the model, since their caches would otherwise live until they are garbage.
    private final Set<Chat> chats = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    private final List<RequestListener> listeners = new CopyOnWriteArrayList<>();

    private InternVL(Path directory, NativeModel model, PromptReader reader, LoadOptions options) {
        this.model = model;
        this.reader = reader;
        this.options = options;
        info = new ModelInfo(model.info());
        fingerprint = Fingerprint.of(directory, options, info, model.backend());
    }

    /** Loads with {@link LoadOptions#defaults()}. */
    public static InternVL load(Path directory) {
        return load(directory, LoadOptions.defaults());
    }

    /**
     * Loads a checkpoint folder: config.json, the {@linkplain Tokenizer#load tokenizer's files}, preprocessor_config.json
     * and safetensors weights. All of it is checked before the first weight is read.
     *
     * @throws CheckpointException if a file is missing or malformed, or a tensor is not what the configuration needs
     * @throws InvalidOptionException if the {@linkplain LoadOptions#draft draft} has another tokenizer; the message names the difference
     * @throws UnsupportedModelException if it is another architecture
     * @throws InsufficientMemoryException if the memory plan does not fit
     */
    public static InternVL load(Path directory, LoadOptions options) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(options, "options");
        FirstUse.require();
        ModelInfo stored = inspect(directory);
        PromptReader reader = new PromptReader(directory, stored, options.template());
        Draft draft = Draft.of(options, directory);
        int maxBatch; // asked before the weights take their part of what is available
        if (draft != null) {
            draft.requireTokens(stored.vocabularySize(), reader.tokenizer());
            maxBatch = draft.requireRoom(options).maxBatch();
        } else {
            maxBatch = options.maxBatch() > 0
                    ? options.maxBatch()
                    : plan(directory, options).maxBatch();
        }
        NativeModel model =
                draft == null ? NativeModel.load(directory, options) : draft.load(options.maxBatch(maxBatch));
        System.getLogger("io.github.internvl4j")
                .log(
                        Level.DEBUG,
                        () -> "loaded " + directory + " on " + model.backend() + "; up to " + maxBatch
                                + " requests together");
        if (options.contextLength() > 0) {
            reader = reader.with(new ModelInfo(model.info()));
        }
        try {
            return new InternVL(directory, model, reader, options.maxBatch(maxBatch));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /** What a checkpoint's config.json says; nothing else is read. */
    public static ModelInfo inspect(Path directory) {
        Objects.requireNonNull(directory, "directory");
        FirstUse.require();
        return new ModelInfo(NativeModel.inspect(directory));
    }

    /**
     * What loading a checkpoint would need, with its draft if it has one; only the headers of their weights are read.
     *
     * @param directory its folder; or a config.json alone, for what a checkpoint of that configuration would need, with weights that
     *     are not mapped
     */
    public static MemoryPlan plan(Path directory, LoadOptions options) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(options, "options");
        FirstUse.require();
        Draft draft = Draft.of(options, directory);
        return new MemoryPlan(draft == null ? NativeModel.plan(directory, options) : draft.plan(options));
    }

    /**
     * Compares a checkpoint's tensors, its tokenizer and its preprocessor with what its configuration needs.
     *
     * @param scanValues also look for NaN and infinity, which reads every weight
     */
    public static CheckReport check(Path directory, boolean scanValues) {
        Objects.requireNonNull(directory, "directory");
        FirstUse.require();
        CheckpointReport report = NativeModel.check(directory, scanValues);
        try {
            PromptReader ignored = new PromptReader(directory, inspect(directory), null);
        } catch (CheckpointException | UnsupportedModelException e) {
            report = report.andWrong(String.valueOf(e.getMessage()));
        }
        return new CheckReport(report);
    }

    /** Writes a checkpoint in int8, the vision tower's blocks and the projector too if {@code vision}. */
    public static void quantize(Path directory, Path output, boolean vision, Consumer<LoadProgress> listener) {
        VisionPrecision tower = vision ? VisionPrecision.INT8 : VisionPrecision.AS_STORED;
        quantize(directory, output, Precision.INT8, tower, listener);
    }

    /**
     * Writes a checkpoint as {@link Precision#INT8} or {@link Precision#INT4} would make it at load: the weights shard by shard, every
     * other file copied. It is loaded like any other, and its weights are then used where they are mapped.
     *
     * @param directory a checkpoint in 16 bits or f32
     * @param output a folder without weights; made if it is not there
     * @param precision {@link Precision#INT8} or {@link Precision#INT4}
     * @param vision what becomes of the vision tower's blocks and of the projector
     * @param listener told after every tensor; throw from it to stop
     */
    public static void quantize(
            Path directory, Path output, Precision precision, VisionPrecision vision, Consumer<LoadProgress> listener) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(vision, "vision");
        Objects.requireNonNull(listener, "listener");
        if (precision != Precision.INT8 && precision != Precision.INT4) {
            throw new InvalidOptionException("precision is " + precision + ", expected INT8 or INT4");
        }
        FirstUse.require();
        NativeModel.quantize(directory, output, precision, vision, null, listener);
        CheckpointFiles.copyAllButWeights(directory, output);
    }

    /**
     * Writes a checkpoint in {@link Precision#INT4}, its decoder's weights rounded so that little is lost for the inputs that the prompts
     * give them (GPTQ). It is as large and as fast as without, and answers more like the original what is asked like them.
     *
     * <p>It goes a layer at a time: in memory are one layer, what it takes to round its largest weight, and for each token of the prompts
     * as many floats as the decoder is wide. Layers that are done are kept in the folder {@code calibration} of the output until all is
     * written: the same call goes on behind them.
     *
     * @param directory a checkpoint in 16 bits or f32
     * @param output a folder without weights, made if it is not there; or the one that such a call has left unfinished
     * @param vision what becomes of the vision tower's blocks and of the projector; their weights are not calibrated, nor are those of
     *     experts
     * @param calibration what the model is asked, some hundred prompts with their images; a history's answers count, too. Each is taken
     *     when its turn comes, and its images can then go
     * @param listener told after every layer and every tensor; throw from it to stop
     * @throws PromptException if there are no prompts, or one cannot be read; the message has its number
     */
    public static void quantizeCalibrated(
            Path directory,
            Path output,
            VisionPrecision vision,
            Iterable<Prompt> calibration,
            Consumer<LoadProgress> listener) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(vision, "vision");
        Objects.requireNonNull(calibration, "calibration");
        Objects.requireNonNull(listener, "listener");
        FirstUse.require();
        PromptReader reader = new PromptReader(directory, inspect(directory), null);
        Iterator<CalibrationRequest> requests = new CalibrationRequests(reader, calibration.iterator());
        NativeModel.quantize(directory, output, Precision.INT4, vision, requests, listener);
        CheckpointFiles.copyAllButWeights(directory, output);
    }

    /**
     * Writes a checkpoint with an adapter merged into its weights, shard by shard, every other file copied. It is loaded like any other, and
     * answers nearly as the adapter beside the weights does: in 16 bits the sums are rounded.
     *
     * @param directory a checkpoint in 16 bits or f32; pairs of its own, which the original's training leaves beside the layers
     *     ({@code use_llm_lora}), are merged in any case
     * @param adapter as for {@link #loadAdapter}, also of experts and their routers; or null for the checkpoint's own pairs alone
     * @param output a folder without weights; made if it is not there
     * @param rounding of weights in 16 bits
     * @param listener told after every tensor; throw from it to stop
     * @throws CheckpointException if the adapter is malformed, or of another model
     * @throws UnsupportedModelException if it is of another kind
     * @throws InvalidOptionException if the checkpoint is quantized, or there is nothing to merge
     */
    public static void merge(
            Path directory,
            @Nullable Path adapter,
            Path output,
            MergeRounding rounding,
            Consumer<LoadProgress> listener) {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(rounding, "rounding");
        Objects.requireNonNull(listener, "listener");
        FirstUse.require();
        NativeModel.merge(directory, adapter, output, rounding, listener);
        CheckpointFiles.copyAllButWeights(directory, output);
        CheckpointFiles.tellOfNoAdapter(output);
    }

    /**
     * The library, the processor and the devices of this machine. Each GPU is asked whether it can be used, which takes some hundred
     * megabytes there until the process ends.
     */
    public static SystemInfo systemInfo() {
        FirstUse.require();
        return new SystemInfo(NativeModel.systemInfo());
    }

    /** The version of the library. */
    public static String version() {
        FirstUse.require();
        return NativeLibrary.version();
    }

    /**
     * Loads a LoRA adapter into the model, as PEFT saves it: a folder with adapter_config.json and adapter_model.safetensors. The weights
     * stay as they are; requests choose it, alone or with others ({@link GenerationConfig#adapters}). Many may be loaded; any thread may do
     * it while others ask.
     *
     * @param directory of the whole model or of the decoder alone: of the decoder's layers, the head, the vision tower's blocks and the
     *     projector; not needed afterwards
     * @throws CheckpointException if it is malformed, or of another model; the message names the file and the tensor
     * @throws UnsupportedModelException if it is more than pairs of linear layers (DoRA, biases, whole layers), a pickle, or of experts or
     *     their router
     * @throws InsufficientMemoryException if a device has no room for it; the model goes on
     * @throws ClosedException if the model is closed
     */
    public Adapter loadAdapter(Path directory) {
        return new Adapter(model.loadAdapter(Objects.requireNonNull(directory, "directory")), directory);
    }

    /** The model's shape. */
    public ModelInfo info() {
        return info;
    }

    /**
     * What the model runs on, for people: {@code cpu: avx2, 2 threads}; and with {@link Device#AUTO} why not on a GPU, if there are
     * any.
     */
    public String backend() {
        return model.backend();
    }

    /**
     * What answers depend on besides the request, in a few letters: the library's version, the checkpoint (of its weights some are read),
     * the options that change numbers, and the kernels. Answers of another fingerprint may be others; threads, batches and memory change
     * nothing. OpenAI's {@code system_fingerprint}.
     */
    public String fingerprint() {
        return fingerprint;
    }

    /** The model's tokenizer. */
    public Tokenizer tokenizer() {
        return reader.tokenizer();
    }

    /** What turns the model's images into pixel values. */
    public ImageProcessor imageProcessor() {
        return reader.imageProcessor();
    }

    /** A new conversation with the template's own system message. */
    public Chat chat() {
        return chat(ChatOptions.defaults());
    }

    /**
     * A new conversation.
     *
     * @param system the system message, or null for the template's own
     */
    public Chat chat(@Nullable String system) {
        return chat(ChatOptions.defaults().system(system));
    }

    /**
     * A conversation that goes on from an earlier one without images.
     *
     * @param system the system message, or null for the template's own
     * @param history what was said before, the oldest first
     */
    public Chat chat(@Nullable String system, List<Turn> history) {
        return chat(ChatOptions.defaults().system(system).history(history));
    }

    /**
     * A new conversation, or one that goes on from an earlier one, whose images are encoded when the first question needs them.
     *
     * @throws PromptException if the history's images and their placeholders differ in number
     */
    public Chat chat(ChatOptions options) {
        model.requireOpen();
        Chat chat = new Chat(this, Objects.requireNonNull(options, "options"));
        chats.add(chat);
        try {
            chat.recall(options.history(), options.images());
        } catch (RuntimeException | Error e) {
            chat.close();
            throw e;
        }
        return chat;
    }

    /** Tells the listener of all requests that begin from now on. */
    public void addRequestListener(RequestListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
    }

    /** Takes one away that {@link #addRequestListener} brought; it still hears of those requests that have begun. */
    public void removeRequestListener(RequestListener listener) {
        listeners.remove(Objects.requireNonNull(listener, "listener"));
    }

    /** What the model's scheduler does, and did since the model was loaded. */
    public Counts counts() {
        return new Counts(model.counts());
    }

    /** The prompt as the template lays it out; rows of images stand there as the text of their token. */
    public String promptText(Prompt prompt) {
        return reader.text(Objects.requireNonNull(prompt, "prompt"));
    }

    /**
     * The ids of the prompt, as {@link Reply#promptTokens} has them; of its images only the sizes are looked at.
     *
     * @throws PromptException if the prompt cannot be built, or does not fit the context
     */
    public List<Integer> promptTokens(Prompt prompt) {
        return IntStream.of(reader.tokens(Objects.requireNonNull(prompt, "prompt")))
                .boxed()
                .toList();
    }

    /** Answers one prompt. */
    public Reply generate(Prompt prompt, GenerationConfig config) {
        return generate(prompt, config, ReplyListener.none(), null);
    }

    /**
     * Answers one prompt, chunk by chunk.
     *
     * @param listener receives the chunks on this thread
     * @param cancellation ends the answer from another thread, or null; interrupting this thread ends it too, as soon, and its
     *     interrupt status stays set
     * @throws PromptException if the prompt cannot be built, or does not fit the context
     * @throws ClosedException if the model is closed, before or meanwhile
     */
    public Reply generate(
            Prompt prompt, GenerationConfig config, ReplyListener listener, @Nullable Cancellation cancellation) {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(listener, "listener");
        int[] tokens = reader.tokens(prompt);
        long before = System.nanoTime();
        try (Generator generator = generator(cancellation);
                NativeFeatures features = generator.images(prompt, config)) {
            List<NativeFeatures> images = features == null ? List.of() : List.of(features);
            double seconds = (System.nanoTime() - before) / 1e9;
            return generator.answer(tokens, images, config, listener, prompt.thinking(), seconds, prompt.cacheSalt());
        }
    }

    /**
     * Goes on from tokens that no template is put around. An image cannot stand in them.
     *
     * @param tokens ids of the model's {@link #tokenizer}
     * @param cacheSalt as {@link Prompt#cacheSalt(String)}
     * @param listener receives the chunks on this thread
     * @param cancellation ends the answer from another thread, or null; interrupting this thread ends it too
     * @throws PromptException if there are no tokens, an id is none, or they do not fit the context
     * @throws ClosedException if the model is closed, before or meanwhile
     */
    public Reply complete(
            List<Integer> tokens,
            String cacheSalt,
            GenerationConfig config,
            ReplyListener listener,
            @Nullable Cancellation cancellation) {
        Objects.requireNonNull(cacheSalt, "cacheSalt");
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(listener, "listener");
        int[] ids = reader.raw(Options.copy(tokens, "tokens"));
        try (Generator generator = generator(cancellation)) {
            return generator.answer(ids, List.of(), config, listener, false, 0, cacheSalt);
        }
    }

    /**
     * Refuses what {@link GenerationConfig#jsonSchema(String)} of a request would be refused for, before anything is computed.
     *
     * @throws io.github.internvl4j.error.SchemaException if answers cannot be held to it
     */
    public void requireSchema(String schema) {
        Objects.requireNonNull(schema, "schema");
        model.grammar(schema, reader::tokenBytes).close();
    }

    /** Answers one prompt, for a loop over the answer's chunks; what goes wrong is thrown by the loop. */
    public ReplyStream stream(Prompt prompt, GenerationConfig config) {
        return new ReplyStream(background(prompt, config));
    }

    /**
     * Answers one prompt without waiting for it.
     *
     * @return the reply, or what went wrong; cancelling it ends the answer
     */
    public CompletableFuture<Reply> generateAsync(Prompt prompt, GenerationConfig config) {
        return Background.future(background(prompt, config));
    }

    private Background.Question background(Prompt prompt, GenerationConfig config) {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(config, "config");
        return (listener, cancellation, begun) -> {
            begun.run(); // none waits for another's end
            return generate(prompt, config, listener, cancellation);
        };
    }

    /**
     * Answers several prompts together, each with and without images, of any lengths. Every answer is the same as from
     * {@link #generate} alone; together they are only faster. Interrupting this thread ends it: its interrupt status stays set,
     * and every prompt that was not answered has {@link FinishReason#CANCELLED}.
     *
     * @return the replies in the prompts' order
     * @throws InternVLException the first failure, after the others are answered
     * @throws ClosedException if the model is closed, before or meanwhile
     */
    public List<Reply> batch(List<Prompt> prompts, GenerationConfig config) {
        Objects.requireNonNull(prompts, "prompts");
        Objects.requireNonNull(config, "config");
        List<Supplier<BatchRequest>> requests = new ArrayList<>();
        for (Prompt prompt : prompts) {
            requests.add(() -> BatchRequest.of(prompt, config));
        }
        CollectedReplies replies = new CollectedReplies(prompts.size());
        batch(requests.iterator(), replies, null);
        return replies.all();
    }

    /**
     * Answers a stream of requests, up to {@link LoadOptions#maxBatch()} together; a new one begins when another ends.
     *
     * <p>What is wrong with one request is its own failure: a supplier that throws, a prompt that does not fit, memory that is
     * short, logits that are no numbers.
     *
     * @param requests each is asked for its prompt when its turn comes, so that images need not all be in memory. Any exception
     *     of a supplier is that request's failure, as the cause of a {@link PromptException} unless it is an
     *     {@link InternVLException}; one of the iterator itself ends the batch
     * @param listener receives replies and failures as they come
     * @param cancellation ends everything from another thread, or null; interrupting this thread ends it too
     * @throws ClosedException if the model is closed, before or meanwhile; requests that had begun fail with it
     */
    public void batch(
            Iterator<? extends Supplier<BatchRequest>> requests,
            BatchListener listener,
            @Nullable Cancellation cancellation) {
        Objects.requireNonNull(requests, "requests");
        Objects.requireNonNull(listener, "listener");
        try (Generator generator = generator(cancellation)) {
            generator.run(requests, options.maxBatch(), listener);
        }
    }

    /**
     * Runs a prompt through the model and keeps every layer's activations. The answer is not generated.
     */
    public Activations activations(Prompt prompt) {
        return activations(prompt, GenerationConfig.defaults());
    }

    /**
     * Runs a prompt through the model and keeps every layer's activations. The answer is not generated.
     *
     * @param config of which the {@linkplain GenerationConfig#adapters adapters} count
     */
    public Activations activations(Prompt prompt, GenerationConfig config) {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(config, "config");
        List<NativeAdapter.Use> adapters = config.adapterUses();
        int[] tokens = reader.tokens(prompt);
        boolean seeing = !prompt.images().isEmpty();
        try (NativeRecording recording = new NativeRecording();
                NativeFeatures features = seeing ? model.encode(reader.pixels(prompt), recording, adapters) : null) {
            List<NativeFeatures> images = features == null ? List.of() : List.of(features);
            NativeRequest.Sampling one = NativeRequest.Sampling.greedy(1);
            var request = new NativeRequest(
                    tokens, reader.imageToken(), images, new int[0], one, "", recording, null, adapters);
            try (NativeAnswer answer = model.submit(request)) {
                answer.finish();
            }
            return new Activations(
                    recording.copy(), IntStream.of(tokens).boxed().toList());
        }
    }

    /**
     * Images as the decoder sees them, cut as the checkpoint says.
     *
     * @return (tiles, {@link ModelInfo#tokensPerImage()}, {@link ModelInfo#hiddenSize()})
     * @throws ImageException if there is none
     */
    public Tensor imageFeatures(List<Image> images) {
        Objects.requireNonNull(images, "images");
        if (images.isEmpty()) {
            throw new ImageException("no images were given, expected at least one");
        }
        Tensor pixels = reader.imageProcessor().preprocess(images);
        try (NativeFeatures features = model.encode(pixels, null)) {
            return features.copy().reshape(pixels.size(0), info().tokensPerImage(), info().hiddenSize());
        }
    }

    /**
     * Ends what is in flight, waits for it, and frees the weights and every chat's cache. Idempotent; from any thread.
     */
    @Override
    public void close() {
        model.close();
        List<Chat> open;
        synchronized (chats) {
            open = List.copyOf(chats);
        }
        open.forEach(Chat::close);
    }

    Generator generator(@Nullable Cancellation cancellation) {
        return new Generator(model, reader, listeners, cancellation);
    }

    NativeModel model() {
        return model;
    }

    PromptReader reader() {
        return reader;
    }

    void forget(Chat chat) {
        chats.remove(chat);
    }
}
