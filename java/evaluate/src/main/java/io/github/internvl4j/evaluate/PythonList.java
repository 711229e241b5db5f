package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A Python list literal as data sets hold it in a cell: strings in either kind of quotes, or bare words and numbers. Nothing is run. */
final class PythonList {
    private static final Map<Character, String> ESCAPES = Map.ofEntries(
            Map.entry('n', "\n"),
            Map.entry('t', "\t"),
            Map.entry('r', "\r"),
            Map.entry('a', "\u0007"),
            Map.entry('b', "\b"),
            Map.entry('f', "\f"),
            Map.entry('v', "\u000B"),
            Map.entry('\n', ""));
    /** How many hexadecimal digits follow. */
    private static final Map<Character, Integer> HEXADECIMAL = Map.of('x', 2, 'u', 4, 'U', 8);

    private final String text;
    private int at;

    private PythonList(String text) {
        this.text = text;
    }

    /** Whether it has the brackets of a list. */
    static boolean isList(String text) {
        String stripped = Python.strip(text);
        return stripped.startsWith("[") && stripped.endsWith("]");
    }

    /**
     * The elements, numbers as they are written.
     *
     * @throws IllegalArgumentException if it is no list; the message says where and what was expected
     */
    static List<String> parse(String text) {
        PythonList list = new PythonList(Python.strip(text));
        return list.elements();
    }

    private List<String> elements() {
        List<String> elements = new ArrayList<>();
        expect('[');
        while (next() != ']') {
            elements.add(element());
            if (next() != ']') {
                expect(',');
            }
        }
        at++;
        if (at != text.length()) {
            throw wrong("the end");
        }
        return elements;
    }

    private String element() {
        char first = next();
        if (first == '\'' || first == '"') {
            StringBuilder joined = new StringBuilder();
            do { // literals beside each other are one
                joined.append(string());
            } while (next() == '\'' || next() == '"');
            return joined.toString();
        }
        int start = at;
        while (at < text.length() && text.charAt(at) != ',' && text.charAt(at) != ']') {
            at++;
        }
        if (at == start) {
            throw wrong("an element");
        }
        return Python.strip(text.substring(start, at));
    }

    private String string() {
        char quote = text.charAt(at++);
        StringBuilder string = new StringBuilder();
        while (at < text.length() && text.charAt(at) != quote) {
            char c = text.charAt(at++);
            if (c == '\\') {
                escape(string);
            } else {
                string.append(c);
            }
        }
        expect(quote);
        return string.toString();
    }

    private void escape(StringBuilder string) {
        if (at == text.length()) {
            throw wrong("a character behind the backslash");
        }
        char c = text.charAt(at++);
        Integer digits = HEXADECIMAL.get(c);
        if (digits != null && at + digits <= text.length()) {
            string.appendCodePoint(Integer.parseInt(text.substring(at, at + digits), 16));
            at += digits;
        } else if (c >= '0' && c <= '7') {
            int start = at - 1;
            while (at < text.length() && at < start + 3 && text.charAt(at) >= '0' && text.charAt(at) <= '7') {
                at++;
            }
            string.appendCodePoint(Integer.parseInt(text.substring(start, at), 8));
        } else if (c == '\\' || c == '\'' || c == '"') {
            string.append(c);
        } else {
            string.append(ESCAPES.getOrDefault(c, "\\" + c)); // an unknown escape stays as it is
        }
    }

    /** The next character that is no blank. */
    private char next() {
        while (at < text.length() && " \t\r\n\f".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        if (at == text.length()) {
            throw wrong("]");
        }
        return text.charAt(at);
    }

    private void expect(char c) {
        if (at == text.length() || text.charAt(at) != c) {
            throw wrong("" + c);
        }
        at++;
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException(
                "character " + (at + 1) + " of the list " + text + ": expected " + expected);
    }
}
