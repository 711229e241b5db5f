package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Copyable;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.runtime.NativeAdapter;
import io.github.internvl4j.runtime.NativeRequest;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How an answer is drawn. Immutable: every setter returns a changed copy. Biases and the penalties for frequency and presence are added
 * to the logits first; then comes the order of transformers: repetition penalty, temperature, top-k, top-p, min-p.
 */
public final class GenerationConfig {
    private static final float THINKING_TEMPERATURE = 0.6f;
    private static final int MOST_GUESSED = 8;
    /** Each needs some alternatives, of which the runtime tells 64. */
    private static final int MOST_BEAMS = 32;

    private static final GenerationConfig DEFAULTS = new GenerationConfig(new Fields());

    /** Mutable only until a config is made of it. */
    private static final class Fields extends Copyable<Fields> {
        private int maxNewTokens = 1024;
        private int minNewTokens = 0;
        private float temperature = 0;
        private int topK = 0;
        private float topP = 1;
        private float minP = 0;
        private float repetitionPenalty = 1;
        private float frequencyPenalty = 0;
        private float presencePenalty = 0;
        private Map<Integer, Float> logitBias = Map.of();
        private long seed = 0;
        private List<String> stopStrings = List.of();
        private List<Integer> stopTokens = List.of();
        private int topLogprobs = 0;
        private boolean guessing = true;
        private int beams = 1;
        private float lengthPenalty = 1;
        private @Nullable String jsonSchema = null;
        private Map<Adapter, Float> adapters = Map.of();
    }

    private final Fields fields;

    /** Checks the ranges. */
    private GenerationConfig(Fields fields) {
        fields.stopStrings = Options.copy(fields.stopStrings, "stopStrings");
        fields.stopTokens = Options.copy(fields.stopTokens, "stopTokens");
        this.fields = fields;
        Options.require(maxNewTokens() >= 1, "maxNewTokens", maxNewTokens(), "at least 1");
        Options.require(
                minNewTokens() >= 0 && minNewTokens() <= maxNewTokens(),
                "minNewTokens",
                minNewTokens(),
                "0 to maxNewTokens, " + maxNewTokens());
        requireFinite(temperature() >= 0, "temperature", temperature(), "a finite number of at least 0");
        Options.require(topK() >= 0, "topK", topK(), "at least 0");
        Options.require(topP() > 0 && topP() <= 1, "topP", topP(), "a number in (0, 1]");
        Options.require(minP() >= 0 && minP() < 1, "minP", minP(), "a number in [0, 1)");
        requireFinite(repetitionPenalty() > 0, "repetitionPenalty", repetitionPenalty(), "a finite number above 0");
        requireFinite(true, "frequencyPenalty", frequencyPenalty(), "a finite number");
        requireFinite(true, "presencePenalty", presencePenalty(), "a finite number");
        Options.require(topLogprobs() >= 0 && topLogprobs() <= 64, "topLogprobs", topLogprobs(), "0 to 64");
        requireFinite(true, "lengthPenalty", lengthPenalty(), "a finite number");
        Options.require(beams() >= 1 && beams() <= MOST_BEAMS, "beams", beams(), "1 to " + MOST_BEAMS);
        Options.require(
                jsonSchema() == null || minNewTokens() == 0,
                "minNewTokens",
                minNewTokens(),
                "0 beside a JSON schema, which says where the answer ends");
        Options.require(
                beams() == 1 || isPlain(),
                "beams",
                beams(),
                "1 beside a temperature, penalties, biases, stop strings, a JSON schema or alternatives: beams are compared by the"
                        + " model's own probabilities");
        Options.require(
                adapters().values().stream().allMatch(Float::isFinite), "adapters", adapters(), "finite weights");
        Options.require(
                stopStrings().stream().noneMatch(String::isEmpty), "stopStrings", stopStrings(), "no empty string");
        Options.require(
                stopTokens().stream().allMatch(token -> token >= 0), "stopTokens", stopTokens(), "ids of at least 0");
        Options.require(
                logitBias().entrySet().stream()
                        .allMatch(bias -> bias.getKey() >= 0 && bias.getValue() < Float.POSITIVE_INFINITY),
                "logitBias",
                logitBias(),
                "ids of at least 0 with numbers below infinity");
    }

    /** Whether nothing but a least length changes the model's probabilities, and nothing is asked for but tokens. */
    private boolean isPlain() {
        return temperature() == 0
                && repetitionPenalty() == 1
                && frequencyPenalty() == 0
                && presencePenalty() == 0
                && logitBias().isEmpty()
                && stopStrings().isEmpty()
                && jsonSchema() == null
                && topLogprobs() == 0;
    }

    private static void requireFinite(boolean inRange, String name, float value, String expected) {
        Options.require(inRange && Float.isFinite(value), name, value, expected);
    }

    private GenerationConfig with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new GenerationConfig(changed);
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
        return with(changed -> changed.maxNewTokens = value);
    }

    /**
     * With another temperature: 0 for the most likely token, or a finite number above.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig temperature(float value) {
        return with(changed -> changed.temperature = value);
    }

    /**
     * Drawn from so many of the most likely tokens; 0 for all.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topK(int value) {
        return with(changed -> changed.topK = value);
    }

    /**
     * Drawn from the fewest most likely tokens whose probabilities reach this, in (0, 1].
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topP(float value) {
        return with(changed -> changed.topP = value);
    }

    /**
     * With another penalty on tokens of the answer so far, above 0; 1 for none.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig repetitionPenalty(float value) {
        return with(changed -> changed.repetitionPenalty = value);
    }

    /** With another seed of the random numbers. */
    public GenerationConfig seed(long value) {
        return with(changed -> changed.seed = value);
    }

    /**
     * With other texts that end the answer, none of them empty, in place of those before.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig stopStrings(String... values) {
        return with(changed -> changed.stopStrings = Arrays.asList(values));
    }

    /**
     * With other ids that end the answer, at least 0, in place of those before.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig stopTokens(Integer... values) {
        return with(changed -> changed.stopTokens = Arrays.asList(values));
    }

    /**
     * With so many alternatives reported with each token, 0 to 64.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig topLogprobs(int value) {
        return with(changed -> changed.topLogprobs = value);
    }

    /** The longest answer, in tokens, at least 1; it also ends where the context is full. */
    public int maxNewTokens() {
        return fields.maxNewTokens;
    }

    /** 0 takes the most likely token (the lowest id among equals); above 0 draws at random; finite. */
    public float temperature() {
        return fields.temperature;
    }

    /** Draw from the k most likely tokens; 0 for all. */
    public int topK() {
        return fields.topK;
    }

    /** Draw from the fewest most likely tokens whose probabilities reach this, in (0, 1]. */
    public float topP() {
        return fields.topP;
    }

    /**
     * Above 1 makes tokens of the answer so far less likely; 1 for none; finite, above 0. As in the original, which gives its
     * prompt as embeddings, the prompt's tokens do not count.
     */
    public float repetitionPenalty() {
        return fields.repetitionPenalty;
    }

    /** Of the random numbers; the same seed gives the same answer, alone or in a batch. */
    public long seed() {
        return fields.seed;
    }

    /** Texts that end the answer, none of them empty; they are not part of it. */
    public List<String> stopStrings() {
        return fields.stopStrings;
    }

    /**
     * Ids that end the answer, besides the template's own, at least 0. The one that is met is the last of {@link Reply#tokens},
     * and its text that of the answer, unless it is special, as in the original. What the checkpoint names in
     * generation_config.json ({@link ModelInfo#eosTokens}) counts only if it is given here: the original's chat stops at the
     * template's token alone.
     */
    public List<Integer> stopTokens() {
        return fields.stopTokens;
    }

    /** How many alternatives to report with each token, 0 to 64. */
    public int topLogprobs() {
        return fields.topLogprobs;
    }

    /**
     * With so many tokens at least before the answer may end by a stop token; 0 to {@link #maxNewTokens}.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig minNewTokens(int value) {
        return with(changed -> changed.minNewTokens = value);
    }

    /**
     * Drawn from tokens that are at least so probable as the most likely one, relative to it, in [0, 1); 0 for all.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig minP(float value) {
        return with(changed -> changed.minP = value);
    }

    /**
     * With a number taken from a token's logit for each time that the answer has it already; a finite number, 0 for none.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig frequencyPenalty(float value) {
        return with(changed -> changed.frequencyPenalty = value);
    }

    /**
     * With a number taken from a token's logit if the answer has it already; a finite number, 0 for none.
     *
     * @throws InvalidOptionException if it is out of this range
     */
    public GenerationConfig presencePenalty(float value) {
        return with(changed -> changed.presencePenalty = value);
    }

    /**
     * With numbers added to the logits of these tokens, in place of those before; negative infinity excludes a token.
     *
     * @throws InvalidOptionException if an id is negative, or a number infinite or none
     */
    public GenerationConfig logitBias(Map<Integer, Float> value) {
        Map<Integer, Float> copy = new TreeMap<>(Objects.requireNonNull(value, "value"));
        return with(changed -> changed.logitBias = Collections.unmodifiableMap(copy));
    }

    /**
     * With tokens guessed, or not: where the answer goes on as its prompt or the answer itself did once, several tokens are checked in
     * one pass. The answer is the same; where it quotes its prompt it comes faster. On unless it is switched off, and used only while
     * it pays.
     */
    public GenerationConfig guessing(boolean value) {
        return with(changed -> changed.guessing = value);
    }

    /**
     * With so many beams, 1 to 32: instead of the likeliest token each time, the likeliest of so many answers that are followed together,
     * as transformers' beam search finds it. An answer comes as a whole at its end.
     *
     * @throws InvalidOptionException if it is out of this range, or beside settings that change probabilities
     */
    public GenerationConfig beams(int value) {
        return with(changed -> changed.beams = value);
    }

    /**
     * With beams compared by their log-probability divided by their length to this power: above 0 longer answers are preferred, below 0
     * shorter ones.
     *
     * @throws InvalidOptionException if it is not finite
     */
    public GenerationConfig lengthPenalty(float value) {
        return with(changed -> changed.lengthPenalty = value);
    }

    /**
     * With answers that are JSON and satisfy this schema, as long as {@link #maxNewTokens} or a stop string does not cut them. Tokens that
     * do not go on so are never drawn; the model's template still knows nothing of the schema, so the question should say what is wanted.
     *
     * <p>What is done of JSON Schema 2020-12: {@code type}, {@code enum}, {@code const}, {@code properties}, {@code required},
     * {@code additionalProperties}, {@code items}, {@code prefixItems}, {@code minItems}, {@code maxItems}, {@code minLength},
     * {@code maxLength}, {@code pattern} (without looking around or back), {@code format} (date, time, date-time, uuid, ipv4, email),
     * {@code minimum}, {@code maximum} and their exclusive forms, {@code anyOf}, {@code allOf}, {@code oneOf} if no value can satisfy two
     * of its schemas, and {@code $ref} into the schema itself. Annotations and unknown words are ignored, anything else is refused when
     * the question is asked, with a {@link io.github.internvl4j.error.SchemaException}.
     *
     * <p>Names come in any order, each once. White space is a space, or the end of a line and up to 32 spaces, before a value, a name or a
     * closing bracket. Names and constants have the shortest escapes; whole numbers no fraction or exponent.
     *
     * <p>Tokens are not guessed then, and an answer cannot be thinking or searched for by beams.
     *
     * @throws InvalidOptionException beside a least length or beams
     */
    public GenerationConfig jsonSchema(String value) {
        Objects.requireNonNull(value, "value");
        return with(changed -> changed.jsonSchema = value);
    }

    /**
     * With answers that are any JSON object; see {@link #jsonSchema(String)}.
     *
     * @throws InvalidOptionException beside a least length or beams
     */
    public GenerationConfig jsonObject() {
        return jsonSchema("{\"type\": \"object\"}");
    }

    /** Answered with this adapter alone: {@link #adapters(Map)} with a weight of 1. */
    public GenerationConfig adapter(Adapter value) {
        return adapters(Map.of(Objects.requireNonNull(value, "value"), 1f));
    }

    /**
     * Answered with these adapters, in place of those before: what they add is added up, each multiplied by its weight, any finite number.
     * Requests with different ones are still answered together. With beams and JSON schemas, too.
     *
     * @param value adapters that {@link InternVL#loadAdapter} gave for the model that is asked; empty for none
     * @throws InvalidOptionException if a weight is infinite or none
     */
    public GenerationConfig adapters(Map<Adapter, Float> value) {
        Map<Adapter, Float> copy = Map.copyOf(Objects.requireNonNull(value, "value"));
        return with(changed -> changed.adapters = copy);
    }

    /** What it is answered with: adapters and their weights. */
    public Map<Adapter, Float> adapters() {
        return fields.adapters;
    }

    List<NativeAdapter.Use> adapterUses() {
        return adapters().entrySet().stream()
                .map(use -> new NativeAdapter.Use(use.getKey().handle(), use.getValue()))
                .toList();
    }

    /** What the answer is to satisfy, or null if it may be any text. */
    public @Nullable String jsonSchema() {
        return fields.jsonSchema;
    }

    /** How many answers are followed together; 1: beams are not searched. */
    public int beams() {
        return fields.beams;
    }

    /** See {@link #lengthPenalty(float)}. */
    public float lengthPenalty() {
        return fields.lengthPenalty;
    }

    /** The least number of tokens before a stop token. */
    public int minNewTokens() {
        return fields.minNewTokens;
    }

    /** Draw from tokens at least so probable as the most likely one, relative to it, in [0, 1). */
    public float minP() {
        return fields.minP;
    }

    /** Taken from a token's logit for each time that the answer has it already. */
    public float frequencyPenalty() {
        return fields.frequencyPenalty;
    }

    /** Taken from a token's logit if the answer has it already. */
    public float presencePenalty() {
        return fields.presencePenalty;
    }

    /** Added to the logits of these tokens, before any penalty. */
    public Map<Integer, Float> logitBias() {
        return fields.logitBias;
    }

    /** Whether tokens are guessed; see {@link #guessing(boolean)}. */
    public boolean guessing() {
        return fields.guessing;
    }

    NativeRequest.Sampling sampling() {
        int[] tokens = logitBias().keySet().stream().mapToInt(Integer::intValue).toArray();
        float[] logits = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            logits[i] = logitBias().getOrDefault(tokens[i], 0f);
        }
        return new NativeRequest.Sampling(
                maxNewTokens(),
                minNewTokens(),
                temperature(),
                topK(),
                topP(),
                minP(),
                repetitionPenalty(),
                frequencyPenalty(),
                presencePenalty(),
                seed(),
                topLogprobs(),
                guessing() ? MOST_GUESSED : 0,
                tokens,
                logits);
    }

    private Members members() {
        return Members.of("maxNewTokens", maxNewTokens())
                .and("minNewTokens", minNewTokens())
                .and("temperature", temperature())
                .and("topK", topK())
                .and("topP", topP())
                .and("minP", minP())
                .and("repetitionPenalty", repetitionPenalty())
                .and("frequencyPenalty", frequencyPenalty())
                .and("presencePenalty", presencePenalty())
                .and("logitBias", logitBias())
                .and("seed", seed())
                .and("stopStrings", stopStrings())
                .and("stopTokens", stopTokens())
                .and("topLogprobs", topLogprobs())
                .and("guessing", guessing())
                .and("beams", beams())
                .and("lengthPenalty", lengthPenalty())
                .and("jsonSchema", jsonSchema())
                .and("adapters", adapters());
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
