package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.File;
import java.io.IOException;

/** The files of a comparison: {@link Trial}, {@link Trial.Report} and {@link Results}. */
final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private Json() {}

    static <T> T read(File file, Class<T> type) throws IOException {
        return MAPPER.readValue(file, type);
    }

    static void write(File file, Object value) throws IOException {
        MAPPER.writeValue(file, value);
    }
}
