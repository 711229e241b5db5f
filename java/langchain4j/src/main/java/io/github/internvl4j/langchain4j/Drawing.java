package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The parameters of a request that say how its answer is drawn. */
final class Drawing {
    private Drawing() {}

    /**
     * What the request says, and what it leaves open as the defaults have it.
     *
     * @throws InvalidOptionException if a value is out of its range
     */
    static GenerationConfig of(ChatRequest request, GenerationConfig defaults) {
        GenerationConfig config = defaults;
        config = with(config, request.temperature(), (now, value) -> now.temperature(value.floatValue()));
        config = with(config, request.topP(), (now, value) -> now.topP(value.floatValue()));
        config = with(config, request.topK(), GenerationConfig::topK);
        config = with(config, request.maxOutputTokens(), GenerationConfig::maxNewTokens);
        config = with(config, request.frequencyPenalty(), (now, value) -> now.frequencyPenalty(value.floatValue()));
        config = with(config, request.presencePenalty(), (now, value) -> now.presencePenalty(value.floatValue()));
        config = with(config, request.stopSequences(), Drawing::stoppedBy);
        return JsonAnswers.of(request.responseFormat(), config);
    }

    private static <T> GenerationConfig with(
            GenerationConfig config, @Nullable T value, BiFunction<GenerationConfig, T, GenerationConfig> setter) {
        return value == null ? config : setter.apply(config, value);
    }

    /** LangChain4j has an empty list where nothing was said. */
    private static GenerationConfig stoppedBy(GenerationConfig config, List<String> texts) {
        if (texts.stream().anyMatch(Objects::isNull)) {
            throw new InvalidRequestException("stopSequences has a null, expected texts");
        }
        return texts.isEmpty() ? config : config.stopStrings(texts.toArray(String[]::new));
    }
}
