package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.SchemaException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers under a JSON schema, with the tokenizers of all families; what a schema means is tested beneath, in the runtime. */
class JsonSchemaTest {
    private static final LoadOptions OPTIONS = LoadOptions.defaults().threads(2).device(Device.CPU);
    private static final String SCHEMA = """
            {"type": "object", "additionalProperties": false, "required": ["name", "kind", "count", "tags"], "properties": {
              "name": {"type": "string", "maxLength": 5},
              "kind": {"enum": ["red circle", "größer", "a . b"]},
              "count": {"type": "integer", "minimum": -5, "maximum": 300},
              "tags": {"type": "array", "maxItems": 2, "items": {"type": ["boolean", "null"]}}}}""";

    private static List<Path> checkpoints() {
        return TestData.checkpoints();
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void drawnAnswersAreWhatTheSchemaSays(Path checkpoint) throws JsonProcessingException {
        try (InternVL model = InternVL.load(checkpoint, OPTIONS)) {
            GenerationConfig config =
                    GenerationConfig.sampling(1, 0).jsonSchema(SCHEMA).maxNewTokens(160);
            List<BatchRequest> requests = IntStream.range(0, 6)
                    .mapToObj(seed -> BatchRequest.of(Prompt.of("What is it?"), config.seed(seed)))
                    .toList();
            int whole = 0;
            for (BatchRequest request : requests) {
                Reply reply = model.generate(request.prompt(), request.config());
                if (reply.finish() == FinishReason.STOP) {
                    whole++;
                    expectValid(new ObjectMapper().readTree(reply.text()));
                }
            }
            assertTrue(whole >= 4, () -> checkpoint + " ended too few answers");
        }
    }

    private static void expectValid(JsonNode answer) {
        assertEquals(4, answer.size(), answer::toString);
        String name = answer.get("name").textValue();
        assertTrue(name.codePointCount(0, name.length()) <= 5, answer::toString);
        assertTrue(
                List.of("red circle", "größer", "a . b")
                        .contains(answer.get("kind").textValue()),
                answer::toString);
        assertTrue(answer.get("count").isInt(), answer::toString);
        assertTrue(Math.abs(answer.get("count").intValue() - 147.5) <= 152.5, answer::toString);
        assertTrue(answer.get("tags").isArray() && answer.get("tags").size() <= 2, answer::toString);
    }

    @Test
    void anAnswerDependsNeitherOnItsNeighboursNorOnGuesses() {
        try (InternVL model = InternVL.load(TestData.root().resolve("qwen3"), OPTIONS)) {
            GenerationConfig config =
                    GenerationConfig.greedy(60).jsonSchema(SCHEMA).topLogprobs(2);
            List<Prompt> prompts = List.of(Prompt.of("One"), Prompt.of("Two circles"), Prompt.of("Three"));
            List<Reply> together = model.batch(prompts, config);
            for (int i = 0; i < prompts.size(); i++) {
                Reply alone = model.generate(prompts.get(i), config.guessing(false));
                assertEquals(alone.tokens(), together.get(i).tokens());
                assertEquals(alone.logprobs(), together.get(i).logprobs());
            }
        }
    }

    @Test
    void aSchemaThatCannotBeUsedNamesItsKeyword() {
        try (InternVL model = InternVL.load(TestData.root().resolve("qwen3"), OPTIONS)) {
            GenerationConfig config =
                    GenerationConfig.greedy(8).jsonSchema("{\"properties\": {\"a\": {\"multipleOf\": 3}}}");
            SchemaException refused =
                    assertThrows(SchemaException.class, () -> model.generate(Prompt.of("One"), config));
            assertEquals("/properties/a/multipleOf", refused.pointer());
            assertEquals("multipleOf", refused.keyword());
            SchemaException none =
                    assertThrows(SchemaException.class, () -> model.generate(Prompt.of("One"), config.jsonSchema("{")));
            assertEquals("", none.pointer());
            assertEquals("", none.keyword());
            // Others go on.
            assertTrue(
                    model.generate(Prompt.of("One"), config.jsonObject()).text().startsWith("{"));
            Prompt thinking = Prompt.of("One").thinking(true);
            InvalidOptionException both =
                    assertThrows(InvalidOptionException.class, () -> model.generate(thinking, config.jsonObject()));
            assertTrue(String.valueOf(both.getMessage()).startsWith("thinking is true"), both::getMessage);
        }
    }

    @Test
    void whatWouldContradictASchemaIsRefused() {
        GenerationConfig config = GenerationConfig.defaults().jsonObject();
        assertThrows(InvalidOptionException.class, () -> config.minNewTokens(2));
        assertThrows(InvalidOptionException.class, () -> config.beams(2));
        assertFalse(config.equals(GenerationConfig.defaults()));
        assertEquals(config, GenerationConfig.defaults().jsonSchema("{\"type\": \"object\"}"));
    }
}
