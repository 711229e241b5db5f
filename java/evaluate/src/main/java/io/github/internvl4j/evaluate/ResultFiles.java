package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/** Result files in the form in which Python writes them. */
final class ResultFiles {
    private ResultFiles() {}

    static ObjectNode object() {
        return Rows.JSON.createObjectNode();
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] json(JsonNode json) {
        return text(PythonJson.line(json));
    }

    /** One object an answer, in a list. */
    static byte[] list(List<Answered> answers, Function<Answered, ObjectNode> entry) {
        ArrayNode list = Rows.JSON.createArrayNode();
        answers.forEach(answer -> list.add(entry.apply(answer)));
        return json(list);
    }

    /** One object an answer, each on its line. */
    static byte[] lines(List<Answered> answers, Function<Answered, ObjectNode> entry) {
        StringBuilder lines = new StringBuilder();
        answers.forEach(
                answer -> lines.append(PythonJson.line(entry.apply(answer))).append('\n'));
        return text(lines.toString());
    }
}
