package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import io.github.internvl4j.BatchListener;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.SchemaException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Answers to random schemas, as another validator sees them. {@code -Dinternvl4j.schemas=2000} draws so many, {@code
 * -Dinternvl4j.schemas.seed=N} others.
 */
class RandomSchemasTest {
    private static final int COUNT = Integer.getInteger("internvl4j.schemas", 150);
    private static final long SEED = Long.getLong("internvl4j.schemas.seed", 22);

    private final JsonSchemaFactory validators = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
    private final SchemaValidatorsConfig strict =
            SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
    private final List<String> wrong = new ArrayList<>();
    private int whole;
    private int cut;
    private int refused;

    @Test
    void whatIsAnsweredSatisfiesItsSchema() {
        List<String> schemas = IntStream.range(0, COUNT)
                .mapToObj(i -> new RandomSchemas(SEED + i).schema().toString())
                .toList();
        List<Supplier<BatchRequest>> requests = IntStream.range(0, COUNT)
                .mapToObj(i -> (Supplier<BatchRequest>) () -> BatchRequest.of(
                        Prompt.of("What is there?"),
                        GenerationConfig.sampling(1.2f, SEED + i)
                                .maxNewTokens(150)
                                .jsonSchema(schemas.get(i))))
                .toList();
        Fixture.MODEL.batch(
                requests.iterator(),
                new BatchListener() {
                    @Override
                    public void onReply(int index, Reply reply) {
                        judge(schemas.get(index), reply);
                    }

                    @Override
                    public void onFailure(int index, InternVLException failure) {
                        refuse(schemas.get(index), failure);
                    }
                },
                null);
        String told = COUNT + " schemas: " + whole + " answered, " + cut + " cut, " + refused + " refused";
        if (System.getProperty("internvl4j.schemas") != null) {
            System.out.println(told);
        }
        assertEquals(List.of(), wrong);
        assertTrue(whole > COUNT / 2, told);
    }

    private void judge(String schema, Reply reply) {
        if (reply.finish() != FinishReason.STOP) {
            cut++;
            return;
        }
        whole++;
        try {
            JsonSchema validator = validators.getSchema(schema, strict);
            var faults = validator.validate(Fixture.JSON.readTree(reply.text()));
            if (!faults.isEmpty()) {
                wrong.add(schema + " was answered " + reply.text() + ": " + faults);
            }
        } catch (IOException odd) {
            wrong.add(schema + " was answered " + reply.text() + ": " + odd.getMessage());
        }
    }

    /** What no value satisfies, say. */
    private void refuse(String schema, InternVLException failure) {
        refused++;
        if (!(failure instanceof SchemaException)) {
            wrong.add(schema + " failed: " + failure);
        }
    }
}
