package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_features;
import io.github.internvl4j.internal.ivl_model;
import io.github.internvl4j.internal.ivl_request;
import io.github.internvl4j.internal.ivl_sampling;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of the model's scheduler.
 *
 * @param tokens the whole prompt
 * @param imageToken the id that stands for an image's row
 * @param features the images, in the order of the prompt
 * @param stopTokens ids that end the answer
 * @param sampling how the answer is drawn
 * @param salt what is computed under one salt serves only others of the same; empty for the common one
 * @param recording records the prompt's activations, or null
 * @param grammar what the answer is, or null for any text
 * @param adapters that it is answered with; its features must be made for those of them that see images
 */
public record NativeRequest(
        int[] tokens,
        int imageToken,
        List<NativeFeatures> features,
        int[] stopTokens,
        Sampling sampling,
        String salt,
        @Nullable NativeRecording recording,
        @Nullable NativeGrammar grammar,
        List<NativeAdapter.Use> adapters) {
    /** Of any text, without adapters. */
    public NativeRequest(
            int[] tokens,
            int imageToken,
            List<NativeFeatures> features,
            int[] stopTokens,
            Sampling sampling,
            String salt,
            @Nullable NativeRecording recording) {
        this(tokens, imageToken, features, stopTokens, sampling, salt, recording, null, List.of());
    }

    /**
     * How an answer is drawn, as ivl_sampling and ivl_request have it.
     *
     * @param mostGuessed tokens that are guessed at once, and checked together
     * @param biasTokens to whose logits the numbers of biasLogits are added
     */
    public record Sampling(
            int maxNewTokens,
            int minNewTokens,
            float temperature,
            int topK,
            float topP,
            float minP,
            float repetitionPenalty,
            float frequencyPenalty,
            float presencePenalty,
            long seed,
            int topLogprobs,
            int mostGuessed,
            int[] biasTokens,
            float[] biasLogits) {
        /** The most likely token each time. */
        public static Sampling greedy(int newTokens) {
            return new Sampling(newTokens, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, new int[0], new float[0]);
        }

        private void set(ivl_sampling converted) {
            converted
                    .temperature(temperature)
                    .top_k(topK)
                    .top_p(topP)
                    .min_p(minP)
                    .repetition_penalty(repetitionPenalty)
                    .frequency_penalty(frequencyPenalty)
                    .presence_penalty(presencePenalty)
                    .max_new_tokens(maxNewTokens)
                    .min_new_tokens(minNewTokens)
                    .top_logprobs(topLogprobs)
                    .seed(seed);
        }
    }

    /** Of text alone, drawn until it is long enough. */
    public static NativeRequest ofText(int[] tokens, int newTokens, String salt) {
        return new NativeRequest(tokens, -1, List.of(), new int[0], Sampling.greedy(newTokens), salt, null);
    }

    /** Hands it over. Returns its number. */
    long submit(ivl_model model) {
        try (LongPointer id = new LongPointer(1);
                ivl_request request = new ivl_request();
                IntPointer prompt = new IntPointer(tokens);
                IntPointer stops = new IntPointer(stopTokens);
                IntPointer biasTokens = new IntPointer(sampling.biasTokens());
                FloatPointer biasLogits = new FloatPointer(sampling.biasLogits());
                BytePointer salted = new BytePointer(salt, StandardCharsets.UTF_8)) {
            internvl4j.ivl_request_init(request);
            request.tokens(prompt)
                    .token_count(tokens.length)
                    .image_token(imageToken)
                    .stop_tokens(stops)
                    .stop_token_count(stopTokens.length)
                    .salt(salted)
                    .bias_tokens(biasTokens)
                    .bias_logits(biasLogits)
                    .bias_count(sampling.biasTokens().length)
                    .most_guessed(sampling.mostGuessed());
            sampling.set(request.sampling());
            NativeLibrary.check(NativeGrammar.with(
                    grammar,
                    rules -> NativeRecording.with(
                            recording,
                            record -> NativeAdapter.with(
                                    adapters,
                                    chosen -> withAll(features, 0, new ArrayList<>(), images -> {
                                        request.recording(record).grammar(rules).adapters(chosen);
                                        return internvl4j.ivl_submit(model, request, images, features.size(), id);
                                    })))));
            return id.get();
        }
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
