package io.github.internvl4j.runtime;

import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;

/** Times a loaded model on random tokens and pixels, without tokenizer or images: any shape can be measured. */
public final class ModelBenchmark {
    /**
     * Medians of the runs.
     *
     * @param visionSecondsPerImage NaN if no image was encoded
     * @param prefillTokensPerSecond of the prompt, its first answer token included
     * @param decodeTokensPerSecond of the tokens behind it
     */
    public record Result(double visionSecondsPerImage, double prefillTokensPerSecond, double decodeTokensPerSecond) {}

    private static final long SEED = 1;

    private final NativeModel model;
    private final int[] prompt;
    private final int newTokens;
    private final int images;

    /**
     * @param promptTokens length of the prompt
     * @param newTokens tokens decoded behind it
     * @param images images encoded in one call; 0 for none
     */
    public ModelBenchmark(NativeModel model, int promptTokens, int newTokens, int images) {
        this.model = model;
        this.newTokens = newTokens;
        this.images = images;
        Random random = new Random(SEED);
        prompt = random.ints(promptTokens, 0, model.info().vocabularySize()).toArray();
    }

    /** One run to warm up, then this many; the medians count. */
    public Result run(int runs) {
        double[] vision = new double[runs];
        double[] prefill = new double[runs];
        double[] decode = new double[runs];
        for (int run = -1; run < runs; run++) {
            int at = Math.max(0, run);
            vision[at] = encode();
            generate(prefill, decode, at);
        }
        return new Result(median(vision) / images, prompt.length / median(prefill), newTokens / median(decode));
    }

    /** Seconds from a loaded model to the first token of its answer, the images encoded first. */
    public double firstToken() {
        double[] prefill = new double[1];
        double vision = images == 0 ? 0 : encode();
        generate(prefill, new double[1], 0);
        return vision + prefill[0];
    }

    /** Seconds to encode the images. */
    public double encode() {
        if (images == 0) {
            return Double.NaN;
        }
        int size = model.info().imageSize();
        Tensor pixels = Tensor.allocate(images, model.info().imageChannels(), size, size);
        Random random = new Random(SEED);
        FloatBuffer data = pixels.data();
        while (data.hasRemaining()) {
            data.put(random.nextFloat() * 4 - 2);
        }
        long started = System.nanoTime();
        model.encode(pixels, null).close();
        return (System.nanoTime() - started) / 1e9;
    }

    private void generate(double[] prefill, double[] decode, int at) {
        long started = System.nanoTime();
        // A salt of its own, so that no run finds what another has computed.
        try (NativeAnswer answer = model.submit(NativeRequest.ofText(prompt, newTokens + 1, "run " + started))) {
            boolean more = !answer.next().last();
            long first = System.nanoTime();
            int steps = more ? answer.finish() : 0;
            prefill[at] = (first - started) / 1e9;
            decode[at] = (System.nanoTime() - first) / 1e9 / Math.max(1, steps) * newTokens;
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
