package io.github.internvl4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Beam search as transformers does it with {@code do_sample=False} and {@code early_stopping=False}: which candidates go on, which are
 * answers, and when no better answer can come. It knows nothing of how probabilities are computed.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.37.2/src/transformers/generation/beam_search.py">BeamSearchScorer</a>
 */
final class BeamSearch {
    /**
     * The tokens of a beam so far.
     *
     * @param score the sum of their log-probabilities
     */
    record Beam(List<TokenLogprob> tokens, float score) {
        Beam then(TokenLogprob token) {
            List<TokenLogprob> longer = new ArrayList<>(tokens);
            longer.add(token);
            return new Beam(List.copyOf(longer), score + token.logprob());
        }

        int last() {
            return tokens.get(tokens.size() - 1).token();
        }
    }

    /** A beam that is an answer; scores of answers of different lengths can be compared. */
    private record Answered(Beam beam, double score) {}

    private final int count;
    private final double lengthPenalty;
    private final int fewest;
    private final Set<Integer> stops = new HashSet<>();
    private final List<Answered> answers = new ArrayList<>();
    private List<Beam> beams = List.of(new Beam(List.of(), 0));
    private boolean done;

    /** @param fewest no stop token before so many tokens */
    BeamSearch(int count, float lengthPenalty, int fewest, int... stops) {
        this.count = count;
        this.lengthPenalty = lengthPenalty;
        this.fewest = fewest;
        Arrays.stream(stops).forEach(this.stops::add);
    }

    /** How many of a beam's next tokens can matter. */
    int alternatives() {
        return Math.max(2, 1 + stops.size()) * count;
    }

    /** Those that go on. */
    List<Beam> beams() {
        return beams;
    }

    boolean done() {
        return done;
    }

    /**
     * Goes on by a token.
     *
     * @param next of each of the beams, in their order, its likeliest tokens: at least {@link #alternatives}, if there are so many
     */
    void step(List<List<TokenLogprob>> next) {
        List<Beam> candidates = new ArrayList<>();
        for (int i = 0; i < beams.size(); i++) {
            Beam beam = beams.get(i);
            for (TokenLogprob token : next.get(i)) {
                if (beam.tokens().size() >= fewest || !stops.contains(token.token())) {
                    candidates.add(beam.then(token));
                }
            }
        }
        // Equals stay in the order of their beams and tokens: the sort is stable.
        candidates.sort(Comparator.comparing(Beam::score).reversed());
        List<Beam> going = new ArrayList<>();
        for (int rank = 0; rank < Math.min(alternatives(), candidates.size()) && going.size() < count; rank++) {
            Beam candidate = candidates.get(rank);
            if (!stops.contains(candidate.last())) {
                going.add(candidate);
            } else if (rank < count) {
                answer(candidate);
            }
        }
        done = going.isEmpty() || nothingBetterFrom(candidates.get(0));
        beams = List.copyOf(going);
    }

    /** The best answer, where those that go on end here. */
    Beam best() {
        if (!done) {
            beams.forEach(this::answer);
        }
        return answers.get(0).beam();
    }

    private double normalized(Beam beam) {
        return beam.score() / Math.pow(beam.tokens().size(), lengthPenalty);
    }

    /** The best come first, and there are no more than beams. */
    private void answer(Beam beam) {
        answers.add(new Answered(beam, normalized(beam)));
        answers.sort(Comparator.comparing(Answered::score).reversed());
        if (answers.size() > count) {
            answers.remove(count);
        }
    }

    private boolean nothingBetterFrom(Beam likeliest) {
        return answers.size() == count && answers.get(count - 1).score() >= normalized(likeliest);
    }
}
