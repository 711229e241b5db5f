package io.github.internvl4j;

import io.github.internvl4j.tensor.Tensor;
import java.util.List;
import java.util.Locale;

/** How near a model of narrower types is to the same model in f32, over any number of prompts. */
final class Agreement {
    private int same;
    private int all;
    private int likeliestSame;
    private int positions;
    private double divergence;
    private double error;
    private double worst;
    private int prompts;

    /** Of an answer's tokens those up to the first other one: behind it the two do not answer the same any more. */
    void answers(List<Integer> expected, List<Integer> actual) {
        int at = 0;
        while (at < Math.min(expected.size(), actual.size()) && expected.get(at).equals(actual.get(at))) {
            at++;
        }
        same += at;
        all += expected.size();
    }

    /** The distributions behind a prompt, and the likeliest token behind each of its positions. */
    void logits(InternVL exact, InternVL narrow, Prompt prompt) {
        Tensor expected = exact.activations(prompt).tensors().get("logits");
        float[] p = expected.toArray();
        float[] q = narrow.activations(prompt).tensors().get("logits").toArray();
        int width = (int) expected.shape()[expected.shape().length - 1];
        for (int begin = 0; begin < p.length; begin += width) {
            likeliestSame += likeliest(p, begin, width) == likeliest(q, begin, width) ? 1 : 0;
            positions++;
        }
        distribution(p, q, p.length - width, width);
    }

    private void distribution(float[] p, float[] q, int begin, int width) {
        double logP = logSum(p, begin, width);
        double logQ = logSum(q, begin, width);
        double difference = 0;
        double norm = 0;
        for (int i = begin; i < begin + width; i++) {
            divergence += Math.exp(p[i] - logP) * ((p[i] - logP) - (q[i] - logQ));
            difference += (double) (p[i] - q[i]) * (p[i] - q[i]);
            norm += (double) p[i] * p[i];
        }
        double relative = Math.sqrt(difference / norm);
        error += relative;
        worst = Math.max(worst, relative);
        prompts++;
    }

    double sameTokens() {
        return (double) same / all;
    }

    double sameLikeliest() {
        return (double) likeliestSame / positions;
    }

    double meanError() {
        return error / prompts;
    }

    double divergence() {
        return divergence / prompts;
    }

    double worstError() {
        return worst;
    }

    private static int likeliest(float[] logits, int begin, int width) {
        int best = begin;
        for (int i = begin; i < begin + width; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private static double logSum(float[] logits, int begin, int width) {
        double largest = logits[likeliest(logits, begin, width)];
        double sum = 0;
        for (int i = begin; i < begin + width; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        return largest + Math.log(sum);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "answer tokens %.2f%% of %d, likeliest token %.2f%% of %d positions, KL divergence %.1e,"
                        + " relative error of the logits %.4f, at worst %.4f",
                100 * sameTokens(),
                all,
                100 * sameLikeliest(),
                positions,
                divergence(),
                meanError(),
                worst);
    }
}
