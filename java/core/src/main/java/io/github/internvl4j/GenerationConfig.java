package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Members;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an answer is drawn. Immutable: every setter returns a changed copy. The order of the steps is that of
 * transformers: repetition penalty, temperature, top-k, top-p.
 */
public final class GenerationConfig {
    private static final float THINKING_TEMPERATURE = 0.6f;
    private static final GenerationConfig DEFAULTS =
            new GenerationConfig(1024, 0, 0, 1, 1, 0, List.of(), List.of(), 0);

    private final int maxNewTokens;
    private final float temperature;
    private final int topK;
    private final float topP;
    private final float repetitionPenalty;
    private final long seed;
    private final List<String> stopStrings;
    private final List<Integer> stopTokens;
    private final int topLogprobs;

    /** Checks the ranges. */
    private GenerationConfig(
            int maxNewTokens, float temperature, int topK, float topP, float repetitionPenalty, long seed,
            List<String> stopStrings, List<Integer> stopTokens, int topLogprobs) {
        Options.require(maxNewTokens >= 1, "maxNewTokens", maxNewTokens, "at least 1");
        Options.require(
                temperature >= 0 && !Float.isInfinite(temperature),
                "temperature",
                temperature,
                "a finite number of at least 0");
        Options.require(topK >= 0, "topK", topK, "at least 0");
        Options.require(topP > 0 && topP <= 1, "topP", topP, "a number in (0, 1]");
        Options.require(
                repetitionPenalty > 0 && !Float.isInfinite(repetitionPenalty),
                "repetitionPenalty",
                repetitionPenalty,
                "a finite number above 0");
        Options.require(topLogprobs >= 0 && topLogprobs <= 64, "topLogprobs", topLogprobs, "0 to 64");
        stopStrings = Options.copy(stopStrings, "stopStrings");
        stopTokens = Options.copy(stopTokens, "stopTokens");
        Options.require(
                stopStrings.stream().noneMatch(String::isEmpty), "stopStrings", stopStrings, "no empty string");
        Options.require(
                stopTokens.stream().allMatch(token -> token >= 0), "stopTokens", stopTokens, "ids of at least 0");
        this.maxNewTokens = maxNewTokens;
        this.temperature = temperature;
        this.topK = topK;
        this.topP = topP;
        this.repetitionPenalty = repetitionPenalty;
        this.seed = seed;
        this.stopStrings = stopStrings;
        this.stopTokens = stopTokens;
        this.topLogprobs = topLogprobs;
    }

    /** Greedy, at most 1024 new tokens: the card's settings with {@code do_sample=False}. */
    public static GenerationConfig defaults() {
        return DEFAULTS;
    }

    /** The most likely token each time, at most {@code maxNewTokens}. */
    public static GenerationConfig greedy(int maxNewTokens) {
        return DEFAULTS.maxNewTokens(maxNewTokens);
    }

    /** Drawn at random; the card's {@code do_sample=True} is a temperature of 1. */
    public static GenerationConfig sampling(float temperature, long seed) {
        return DEFAULTS.temperature(temperature).seed(seed);
    }

    /** As InternVL3.5's card draws in {@link Thinking} mode: at random, at a temperature of 0.6. The seed is 0 until it is set. */
    public static GenerationConfig thinking() {
        return DEFAULTS.temperature(THINKING_TEMPERATURE);
    }

    /**
     * With another longest answer, in tokens, at least 1.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig maxNewTokens(int value) {
        return new GenerationConfig(
                value, temperature, topK, topP, repetitionPenalty, seed, stopStrings, stopTokens, topLogprobs);
    }

    /**
     * With another temperature: 0 for the most likely token, or a finite number above.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig temperature(float value) {
        return new GenerationConfig(
                maxNewTokens, value, topK, topP, repetitionPenalty, seed, stopStrings, stopTokens, topLogprobs);
    }

    /**
     * Drawn from so many of the most likely tokens; 0 for all.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topK(int value) {
        return new GenerationConfig(
                maxNewTokens, temperature, value, topP, repetitionPenalty, seed, stopStrings, stopTokens, topLogprobs);
    }

    /**
     * Drawn from the fewest most likely tokens whose probabilities reach this, in (0, 1].
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topP(float value) {
        return new GenerationConfig(
                maxNewTokens, temperature, topK, value, repetitionPenalty, seed, stopStrings, stopTokens, topLogprobs);
    }

    /**
     * With another penalty on tokens of the answer so far, above 0; 1 for none.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig repetitionPenalty(float value) {
        return new GenerationConfig(
                maxNewTokens, temperature, topK, topP, value, seed, stopStrings, stopTokens, topLogprobs);
    }

    /** With another seed of the random numbers. */
    public GenerationConfig seed(long value) {
        return new GenerationConfig(
                maxNewTokens, temperature, topK, topP, repetitionPenalty, value, stopStrings, stopTokens, topLogprobs);
    }

    /**
     * With other texts that end the answer, none of them empty, in place of those before.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig stopStrings(String... values) {
        return new GenerationConfig(
                maxNewTokens,
                temperature,
                topK,
                topP,
                repetitionPenalty,
                seed,
                Arrays.asList(values),
                stopTokens,
                topLogprobs);
    }

    /**
     * With other ids that end the answer, at least 0, in place of those before.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig stopTokens(Integer... values) {
        return new GenerationConfig(
                maxNewTokens,
                temperature,
                topK,
                topP,
                repetitionPenalty,
                seed,
                stopStrings,
                Arrays.asList(values),
                topLogprobs);
    }

    /**
     * With so many alternatives reported with each token, 0 to 64.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topLogprobs(int value) {
        return new GenerationConfig(
                maxNewTokens, temperature, topK, topP, repetitionPenalty, seed, stopStrings, stopTokens, value);
    }

    /** The longest answer, in tokens, at least 1; it also ends where the context is full. */
    public int maxNewTokens() {
        return maxNewTokens;
    }

    /** 0 takes the most likely token (the lowest id among equals); above 0 draws at random; finite. */
    public float temperature() {
        return temperature;
    }

    /** Draw from the k most likely tokens; 0 for all. */
    public int topK() {
        return topK;
    }

    /** Draw from the fewest most likely tokens whose probabilities reach this, in (0, 1]. */
    public float topP() {
        return topP;
    }

    /**
     * Above 1 makes tokens of the answer so far less likely; 1 for none; finite, above 0. As in the original, which gives its
     * prompt as embeddings, the prompt's tokens do not count.
     */
    public float repetitionPenalty() {
        return repetitionPenalty;
    }

    /** Of the random numbers; the same seed gives the same answer, alone or in a batch. */
    public long seed() {
        return seed;
    }

    /** Texts that end the answer, none of them empty; they are not part of it. */
    public List<String> stopStrings() {
        return stopStrings;
    }

    /**
     * Ids that end the answer, besides the template's own, at least 0. The one that is met is the last of {@link Reply#tokens},
     * and its text that of the answer, unless it is special, as in the original. What the checkpoint names in
     * generation_config.json ({@link ModelInfo#eosTokens}) counts only if it is given here: the original's chat stops at the
     * template's token alone.
     */
    public List<Integer> stopTokens() {
        return stopTokens;
    }

    /** How many alternatives to report with each token, 0 to 64. */
    public int topLogprobs() {
        return topLogprobs;
    }

    private Members members() {
        return Members
                .of("maxNewTokens", maxNewTokens)
                .and("temperature", temperature)
                .and("topK", topK)
                .and("topP", topP)
                .and("repetitionPenalty", repetitionPenalty)
                .and("seed", seed)
                .and("stopStrings", stopStrings)
                .and("stopTokens", stopTokens)
                .and("topLogprobs", topLogprobs);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GenerationConfig that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "GenerationConfig" + members();
    }
}
