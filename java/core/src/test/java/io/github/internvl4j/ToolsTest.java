package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.SchemaException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Schemas of calls, and what answers call. */
class ToolsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void theSchemaIsOneCallOfOneTool() throws Exception {
        String tree = """
                {"$id": "https://example.com/tree", "type": "array", "items": {"$ref": "#"}, "$defs": {"a": {"$ref": "#/$defs/b"}}}""";
        Tools tools = Tools.none().and("grow", tree).and("stop", Tools.NO_ARGUMENTS);
        assertEquals(JSON.readTree("""
                        {"anyOf": [
                           {"type": "object", "properties": {"name": {"const": "grow"}, "arguments": {"$ref": "#/$defs/0"}},
                            "required": ["name", "arguments"], "additionalProperties": false},
                           {"type": "object", "properties": {"name": {"const": "stop"}, "arguments": {"$ref": "#/$defs/1"}},
                            "required": ["name", "arguments"], "additionalProperties": false}],
                         "$defs": {"0": {"type": "array", "items": {"$ref": "#/$defs/0"}, "$defs": {"a": {"$ref": "#/$defs/0/$defs/b"}}},
                                   "1": {"type": "object", "additionalProperties": false}}}"""), JSON.readTree(tools.schema()));
    }

    @Test
    void anAnswerIsACallWithNumbersAsTheyWereWritten() {
        Tools tools = Tools.none().and("add", "true");
        String numbers = "[1.50,12345678901234567890.12345678901234567890,2]";
        assertEquals(
                Optional.of(new Tools.Call("add", numbers)),
                tools.call("{\"arguments\": " + numbers.replace(",", ", ") + ", \"name\": \"add\"}"));
        for (String none : new String[] {
            "", "{\"name\": \"add\"", "{\"name\": \"add\"}", "[]", "{\"name\": \"b\", \"arguments\": 1}"
        }) {
            assertEquals(Optional.empty(), tools.call(none), none);
        }
        assertEquals("{\"name\": \"a\\\"b\", \"arguments\": {}}", new Tools.Call("a\"b", "{}").text());
    }

    @Test
    void whatCannotBeCalledIsRefused() {
        assertThrows(InvalidOptionException.class, () -> Tools.none().schema());
        assertTrue(Tools.none().isEmpty());
        Tools tools = Tools.none().and("add", "{}");
        assertThrows(InvalidOptionException.class, () -> tools.and("add", "{}"));
        assertThrows(SchemaException.class, () -> tools.and("more", "{"));
        assertEquals("Tools[add]", tools.toString());
    }
}
