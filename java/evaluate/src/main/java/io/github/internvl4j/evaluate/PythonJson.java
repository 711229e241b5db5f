package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Iterator;
import java.util.Locale;

/** {@code json.dumps}: the result files have its blanks, its escapes and its numbers. */
final class PythonJson {
    private final StringBuilder out = new StringBuilder();
    private final int indent;

    private PythonJson(int indent) {
        this.indent = indent;
    }

    /** On one line. */
    static String line(JsonNode node) {
        return indented(node, 0);
    }

    /** @param indent blanks a level; 0: on one line */
    static String indented(JsonNode node, int indent) {
        PythonJson json = new PythonJson(indent);
        json.write(node, 0);
        return json.out.toString();
    }

    private void write(JsonNode node, int depth) {
        switch (node.getNodeType()) {
            case OBJECT -> writeObject(node, depth);
            case ARRAY -> writeArray(node, depth);
            case STRING -> writeString(node.textValue());
            case NUMBER ->
                out.append(node.isIntegralNumber() ? node.bigIntegerValue().toString() : number(node.doubleValue()));
            default -> out.append(node.asText());
        }
    }

    private static String number(double x) {
        if (Double.isNaN(x)) {
            return "NaN";
        }
        return Double.isInfinite(x) ? (x < 0 ? "-Infinity" : "Infinity") : Python.text(x);
    }

    private void writeObject(JsonNode node, int depth) {
        out.append('{');
        String before = "";
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); before = ",") {
            String name = names.next();
            separate(before, depth + 1);
            writeString(name);
            out.append(": ");
            write(node.get(name), depth + 1);
        }
        close(node, '}', depth);
    }

    private void writeArray(JsonNode node, int depth) {
        out.append('[');
        String before = "";
        for (JsonNode element : node) {
            separate(before, depth + 1);
            write(element, depth + 1);
            before = ",";
        }
        close(node, ']', depth);
    }

    private void separate(String before, int depth) {
        out.append(before);
        if (indent > 0) {
            out.append('\n').append(" ".repeat(indent * depth));
        } else if (!before.isEmpty()) {
            out.append(' ');
        }
    }

    private void close(JsonNode node, char mark, int depth) {
        if (indent > 0 && !node.isEmpty()) {
            out.append('\n').append(" ".repeat(indent * depth));
        }
        out.append(mark);
    }

    private void writeString(String text) {
        out.append('"');
        text.chars().forEach(c -> out.append(escaped((char) c)));
        out.append('"');
    }

    private static String escaped(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c >= ' ' && c <= '~' ? String.valueOf(c) : String.format(Locale.ROOT, "\\u%04x", (int) c);
        };
    }
}
