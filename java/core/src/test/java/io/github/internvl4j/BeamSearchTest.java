package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.runtime.NativeAnswer;
import io.github.internvl4j.runtime.NativeRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The search over made-up probabilities, and over a model's. */
class BeamSearchTest {
    private static final int STOP = 0;
    private static final int TOKENS = 6;

    /** Of the tokens behind a beginning, likeliest first; the same for the same beginning. */
    private static List<TokenLogprob> next(int seed, List<Integer> tokens) {
        Random random = new Random(31L * tokens.hashCode() + seed);
        double[] weights = random.doubles(TOKENS, 0.01, 1).toArray();
        double sum = 0;
        for (double weight : weights) {
            sum += weight;
        }
        List<TokenLogprob> all = new ArrayList<>();
        for (int token = 0; token < TOKENS; token++) {
            all.add(new TokenLogprob(token, (float) Math.log(weights[token] / sum)));
        }
        all.sort(Comparator.comparing(TokenLogprob::logprob).reversed());
        return all;
    }

    private static List<Integer> ids(BeamSearch.Beam beam) {
        return beam.tokens().stream().map(TokenLogprob::token).toList();
    }

    private static BeamSearch.Beam search(int seed, int beams, float lengthPenalty, int most) {
        BeamSearch search = new BeamSearch(beams, lengthPenalty, 0, STOP);
        for (int length = 0; length < most && !search.done(); length++) {
            search.step(
                    search.beams().stream().map(beam -> next(seed, ids(beam))).toList());
        }
        return search.best();
    }

    /** The likeliest of all answers, found by looking at each. */
    private static double likeliest(int seed, List<Integer> tokens, double score, int most) {
        double best = Double.NEGATIVE_INFINITY;
        for (TokenLogprob token : next(seed, tokens)) {
            List<Integer> longer = new ArrayList<>(tokens);
            longer.add(token.token());
            double sum = score + token.logprob();
            boolean ends = token.token() == STOP || longer.size() == most;
            best = Math.max(best, ends ? sum : likeliest(seed, longer, sum, most));
        }
        return best;
    }

    @Test
    void enoughBeamsFindTheLikeliestAnswer() {
        for (int seed = 0; seed < 40; seed++) {
            BeamSearch.Beam found = search(seed, 300, 0, 3); // as many as there are beginnings
            assertEquals(likeliest(seed, List.of(), 0, 3), found.score(), 1e-5);
        }
    }

    @Test
    void moreBeamsThanOneAreOftenLikelierThanTheLikeliestTokens() {
        int better = 0;
        for (int seed = 0; seed < 100; seed++) {
            List<Integer> greedy = new ArrayList<>();
            double score = 0;
            while (greedy.size() < 6 && (greedy.isEmpty() || greedy.get(greedy.size() - 1) != STOP)) {
                TokenLogprob token = next(seed, greedy).get(0);
                greedy.add(token.token());
                score += token.logprob();
            }
            better += search(seed, 4, 0, 6).score() > score + 1e-6 ? 1 : 0;
        }
        assertTrue(better > 30, better + " of 100");
    }

    @Test
    void aLengthPenaltyAboveZeroLengthensAnswers() {
        double shorter = 0;
        double longer = 0;
        for (int seed = 0; seed < 100; seed++) {
            shorter += search(seed, 4, -1, 8).tokens().size();
            longer += search(seed, 4, 2, 8).tokens().size();
        }
        assertTrue(longer > shorter + 50, shorter + " and " + longer);
    }

    /** Each beam of each step computed from its first token on, and nothing shared. */
    private static BeamSearch.Beam aloneOn(InternVL model, int[] prompt, GenerationConfig config) {
        BeamSearch search = new BeamSearch(
                config.beams(),
                config.lengthPenalty(),
                config.minNewTokens(),
                model.reader().stopTokens(config));
        NativeRequest.Sampling one =
                GenerationConfig.greedy(1).topLogprobs(search.alternatives()).sampling();
        for (int length = 0; length < config.maxNewTokens() && !search.done(); length++) {
            List<List<TokenLogprob>> next = new ArrayList<>();
            for (BeamSearch.Beam beam : search.beams()) {
                int[] all = IntStream.concat(
                                IntStream.of(prompt), ids(beam).stream().mapToInt(Integer::intValue))
                        .toArray();
                String salt = "alone " + length + " " + next.size() + config;
                try (NativeAnswer answer =
                        model.model().submit(new NativeRequest(all, -1, List.of(), new int[0], one, salt, null))) {
                    next.add(answer.next().candidates().stream()
                            .map(candidate -> new TokenLogprob(candidate.token(), candidate.logprob()))
                            .toList());
                }
            }
            search.step(next);
        }
        return search.best();
    }

    @Test
    void aModelsBeamsHaveTheBitsThatEachHasAlone() {
        try (InternVL model = InternVL.load(
                Oracle.load("hermes-d128").directory(),
                LoadOptions.defaults().device(Device.CPU).precision(Precision.F32))) {
            Prompt prompt = Prompt.of("Hello");
            for (int beams : List.of(2, 5)) {
                for (float lengthPenalty : new float[] {1, 0, -2}) {
                    GenerationConfig config =
                            GenerationConfig.greedy(12).beams(beams).lengthPenalty(lengthPenalty);
                    Reply reply = model.generate(prompt, config);
                    int[] tokens = reply.promptTokens().stream()
                            .mapToInt(Integer::intValue)
                            .toArray();
                    assertEquals(aloneOn(model, tokens, config).tokens(), reply.logprobs());
                    assertEquals(
                            reply.logprobs(),
                            model.batch(List.of(prompt), config).get(0).logprobs());
                    try (Chat chat = model.chat()) {
                        assertEquals(
                                reply.logprobs(),
                                chat.ask(prompt, config, ReplyListener.none()).logprobs());
                    }
                }
            }
        }
    }

    @Test
    void beamsGoWithTheModelsOwnProbabilitiesAlone() {
        GenerationConfig beams = GenerationConfig.greedy(5).beams(3);
        assertThrows(InvalidOptionException.class, () -> beams.temperature(1));
        assertThrows(InvalidOptionException.class, () -> beams.repetitionPenalty(1.1f));
        assertThrows(InvalidOptionException.class, () -> beams.stopStrings("a"));
        assertThrows(InvalidOptionException.class, () -> beams.beams(33));
        assertThrows(InvalidOptionException.class, () -> beams.beams(0));
    }
}
