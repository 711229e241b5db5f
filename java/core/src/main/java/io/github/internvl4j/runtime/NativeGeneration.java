package io.github.internvl4j.runtime;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_features;
import io.github.internvl4j.internal.ivl_generation;
import io.github.internvl4j.internal.ivl_recording;
import io.github.internvl4j.internal.ivl_sampling;
import io.github.internvl4j.internal.ivl_sequence;
import io.github.internvl4j.internal.ivl_token;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;

/** Requests that are computed together, a token of each at a time. */
public final class NativeGeneration implements AutoCloseable {
    /**
     * One step of one request.
     *
     * @param request the number {@link #add} gave
     * @param token the token's id; -1 if the request failed
     * @param logprob natural logarithm of the model's own probability
     * @param finish why the request is over with this token; null if it goes on, or failed
     * @param failed whether it failed: there is no token, and {@link #failure} says why
     */
    public record Step(int request, int token, float logprob, @Nullable FinishReason finish, boolean failed) {}

    /**
     * An alternative at one step.
     *
     * @param token its id
     * @param logprob natural logarithm of the model's own probability
     */
    public record Candidate(int token, float logprob) {}

    /**
     * What is asked.
     *
     * @param tokens the whole prompt
     * @param imageToken the id that stands for an image's row
     * @param features the images, in the order of the prompt
     * @param stopTokens ids that end the answer
     */
    public record Request(int[] tokens, int imageToken, List<NativeFeatures> features, int[] stopTokens) {}

    private final Handle<ivl_generation> handle;
    private ivl_token steps = new ivl_token(1);
    private int unfinished;

    NativeGeneration(ivl_generation pointer) {
        handle = new Handle<>("the generation", pointer, internvl4j::ivl_generation_free);
    }

    /**
     * Adds a request; everything about it is checked before any work.
     *
     * @param config how the answer is drawn; its stop tokens and strings are not looked at
     * @param sequence the cache to use, or null for one of the request's own
     * @param recording records the prompt's activations, or null
     * @return the request's number
     */
    public int add(
            Request request,
            GenerationConfig config,
            @Nullable NativeSequence sequence,
            @Nullable NativeRecording recording) {
        int added;
        try (ivl_sampling options = sampling(config);
                IntPointer tokens = new IntPointer(request.tokens());
                IntPointer stopTokens = new IntPointer(request.stopTokens());
                IntPointer number = new IntPointer(1)) {
            NativeLibrary.check(handle.use(generation -> with(sequence, cache -> with(recording, record -> withAll(
                    request.features(),
                    0,
                    new ArrayList<>(),
                    images -> internvl4j.ivl_generation_add(
                            generation,
                            cache,
                            tokens,
                            request.tokens().length,
                            request.imageToken(),
                            images,
                            request.features().size(),
                            stopTokens,
                            request.stopTokens().length,
                            options,
                            record,
                            number))))));
            added = number.get();
        }
        unfinished++;
        return added;
    }

    /**
     * One token of every unfinished request; empty when there is none.
     *
     * @throws InternVLException the first failure; the other requests' tokens of this step are lost
     */
    public List<Step> step() {
        List<Step> taken = stepEach();
        for (Step step : taken) {
            if (step.failed()) {
                throw failure(step.request());
            }
        }
        return taken;
    }

    /** One token, or failure, of every unfinished request; empty when there is none. */
    public List<Step> stepEach() {
        if (steps.capacity() < unfinished) {
            steps.close();
            steps = new ivl_token(unfinished);
        }
        long[] count = new long[1];
        handle.call(pointer -> internvl4j.ivl_generation_step(pointer, steps.position(0), steps.capacity(), count));
        List<Step> taken = new ArrayList<>((int) count[0]);
        for (long i = 0; i < count[0]; i++) {
            ivl_token token = steps.getPointer(i);
            boolean failed = token.finish() == internvl4j.IVL_FINISH_FAILED;
            FinishReason finish = finishReason(token.finish());
            if (failed || finish != null) {
                unfinished--;
            }
            taken.add(new Step(token.request(), token.token(), token.logprob(), finish, failed));
        }
        return taken;
    }

    /** Why a request failed in the last step. */
    public InternVLException failure(int request) {
        try {
            handle.call(pointer -> internvl4j.ivl_generation_failure(pointer, request));
        } catch (InternVLException failure) {
            return failure;
        }
        throw new IllegalStateException("request " + request + " has not failed");
    }

    /** The most likely tokens of the request's last step, best first; at most as many as it asked for. */
    public List<Candidate> candidates(int request, int most) {
        int[] tokens = new int[most];
        float[] logprobs = new float[most];
        long[] count = new long[1];
        handle.call(pointer ->
                internvl4j.ivl_generation_top_logprobs(pointer, request, tokens, logprobs, most, count));
        List<Candidate> candidates = new ArrayList<>((int) count[0]);
        for (int i = 0; i < count[0]; i++) {
            candidates.add(new Candidate(tokens[i], logprobs[i]));
        }
        return candidates;
    }

    /**
     * The logits behind the request's last token.
     *
     * @param vocabulary how many there are
     */
    public float[] logits(int request, int vocabulary) {
        float[] out = new float[vocabulary];
        handle.call(pointer -> internvl4j.ivl_generation_logits(pointer, request, out, out.length));
        return out;
    }

    /** How many of the prompt's tokens the request's sequence already held. */
    public long reused(int request) {
        long[] out = new long[1];
        handle.call(pointer -> internvl4j.ivl_generation_reused(pointer, request, out));
        return out[0];
    }

    /** Ends an unfinished request. */
    public void end(int request) {
        handle.call(pointer -> internvl4j.ivl_generation_end(pointer, request));
        unfinished--;
    }

    @Override
    public void close() {
        handle.close();
        steps.close();
    }

    private static ivl_sampling sampling(GenerationConfig config) {
        ivl_sampling converted = new ivl_sampling();
        internvl4j.ivl_sampling_init(converted);
        return converted.temperature(config.temperature())
                .top_k(config.topK())
                .top_p(config.topP())
                .repetition_penalty(config.repetitionPenalty())
                .seed(config.seed())
                .max_new_tokens(config.maxNewTokens())
                .top_logprobs(config.topLogprobs());
    }

    private static @Nullable FinishReason finishReason(int finish) {
        return switch (finish) {
            case internvl4j.IVL_FINISH_STOP -> FinishReason.STOP;
            case internvl4j.IVL_FINISH_LENGTH -> FinishReason.LENGTH;
            case internvl4j.IVL_FINISH_CANCELLED -> FinishReason.CANCELLED;
            default -> null;
        };
    }

    private static <T> T with(@Nullable NativeSequence sequence, Function<@Nullable ivl_sequence, T> body) {
        return sequence == null ? body.apply(null) : sequence.use(body);
    }

    private static <T> T with(@Nullable NativeRecording recording, Function<@Nullable ivl_recording, T> body) {
        return recording == null ? body.apply(null) : recording.use(body);
    }

    /** Holds every image's handle open while the array of their pointers is in use. */
    private static <T> T withAll(
            List<NativeFeatures> features,
            int next,
            List<ivl_features> held,
            Function<PointerPointer<ivl_features>, T> body) {
        if (next < features.size()) {
            return features.get(next).use(pointer -> {
                held.add(pointer);
                return withAll(features, next + 1, held, body);
            });
        }
        try (PointerPointer<ivl_features> array = new PointerPointer<>(Math.max(1, held.size()))) {
            for (int i = 0; i < held.size(); i++) {
                array.put(i, held.get(i));
            }
            return body.apply(array);
        }
    }
}
