package io.github.internvl4j.langchain4j;

import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import io.github.internvl4j.GenerationConfig;
import org.jspecify.annotations.Nullable;

/** A response format as the library takes it. */
final class JsonAnswers {
    private JsonAnswers() {}

    /**
     * With answers in this format.
     *
     * @throws io.github.internvl4j.error.InvalidOptionException beside a least length or beams
     */
    static GenerationConfig of(@Nullable ResponseFormat format, GenerationConfig config) {
        if (format == null || format.type() != ResponseFormatType.JSON) {
            return config;
        }
        return format.jsonSchema() == null
                ? config.jsonObject()
                : config.jsonSchema(Json.toJson(
                        JsonSchemaElementUtils.toMap(format.jsonSchema().rootElement(), true)));
    }
}
