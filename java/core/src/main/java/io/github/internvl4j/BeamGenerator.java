package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.runtime.NativeFeatures;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.runtime.RequestEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Answers by {@link BeamSearch}: each step is a request of one token for each beam. What beams have in common is in the cache, where
 * beams part by copying no more than a block.
 *
 * @param tokens the prompt
 * @param images its images, in its order
 */
record BeamGenerator(
        NativeModel model,
        PromptReader reader,
        int[] tokens,
        List<NativeFeatures> images,
        GenerationConfig config,
        String salt) {
    private static final int MOST_ALTERNATIVES = 64;

    /**
     * Hands the best answer's tokens over.
     *
     * @return why it ended
     * @throws InternVLException if a request fails
     */
    FinishReason run(Answer answer, @Nullable Cancellation cancellation) {
        int[] stops = reader.stopTokens(config);
        BeamSearch search = new BeamSearch(config.beams(), config.lengthPenalty(), config.minNewTokens(), stops);
        if (search.alternatives() > MOST_ALTERNATIVES) {
            throw new InvalidOptionException("beams is " + config.beams() + ", expected at most "
                    + MOST_ALTERNATIVES * config.beams() / search.alternatives() + " beside " + stops.length
                    + " stop tokens");
        }
        int most = Math.min(config.maxNewTokens(), model.info().contextLength() - tokens.length);
        for (int length = 0; length < most && !search.done(); length++) {
            List<List<TokenLogprob>> next = next(search, cancellation);
            if (next == null) {
                return FinishReason.CANCELLED;
            }
            search.step(next);
        }
        BeamSearch.Beam best = search.best();
        for (TokenLogprob token : best.tokens()) {
            answer.accept(new RequestEvent(1, token.token(), token.logprob(), null, null, List.of(), 0, 0, 0));
        }
        boolean stopped = Arrays.stream(stops).anyMatch(stop -> stop == best.last());
        return stopped ? FinishReason.STOP : FinishReason.LENGTH;
    }

    /** Of each beam its likeliest next tokens; null if it was cancelled. */
    private @Nullable List<List<TokenLogprob>> next(BeamSearch search, @Nullable Cancellation cancellation) {
        BlockingQueue<RequestEvent> events = new LinkedBlockingQueue<>();
        NativeRequest.Sampling one =
                GenerationConfig.greedy(1).topLogprobs(search.alternatives()).sampling();
        Map<Long, Integer> beamOf = new HashMap<>();
        List<List<TokenLogprob>> next = new ArrayList<>();
        try {
            for (BeamSearch.Beam beam : search.beams()) {
                var request = new NativeRequest(
                        with(beam),
                        reader.imageToken(),
                        images,
                        new int[0],
                        one,
                        salt,
                        null,
                        null,
                        config.adapterUses());
                beamOf.put(model.submit(request, events::add), next.size());
                next.add(List.of());
            }
            for (int left = next.size(); left > 0; left--) {
                if (cancellation != null && cancellation.isCancelled()) {
                    return null;
                }
                RequestEvent event = events.take().orThrow();
                next.set(beamOf.getOrDefault(event.request(), 0), event.candidates());
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } finally {
            beamOf.keySet().forEach(model::drop);
        }
    }

    private int[] with(BeamSearch.Beam beam) {
        int[] all = Arrays.copyOf(tokens, tokens.length + beam.tokens().size());
        for (int i = 0; i < beam.tokens().size(); i++) {
            all[tokens.length + i] = beam.tokens().get(i).token();
        }
        return all;
    }
}
