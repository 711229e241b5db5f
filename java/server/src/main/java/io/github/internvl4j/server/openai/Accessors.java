package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.SerializerProvider;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/**
 * Writes what a class of the library tells by accessors, in the order of the record that it keeps: the names are the record's, the values
 * those of its own accessors.
 */
final class Accessors<T> extends JsonSerializer<T> {
    private final RecordComponent[] components;

    /** @throws IllegalArgumentException if the class keeps no record */
    Accessors(Class<T> type) {
        components = Arrays.stream(type.getDeclaredFields())
                .map(Field::getType)
                .filter(Class::isRecord)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(type + " keeps no record"))
                .getRecordComponents();
    }

    @Override
    public void serialize(T value, JsonGenerator out, SerializerProvider serializers) throws IOException {
        out.writeStartObject();
        for (RecordComponent component : components) {
            out.writeFieldName(SnakeCaseStrategy.INSTANCE.translate(component.getName()));
            try {
                serializers.defaultSerializeValue(
                        value.getClass().getMethod(component.getName()).invoke(value), out);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(component.getName() + " of " + value.getClass() + " cannot be read", e);
            }
        }
        out.writeEndObject();
    }
}
