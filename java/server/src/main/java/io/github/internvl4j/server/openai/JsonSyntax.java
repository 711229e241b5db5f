package io.github.internvl4j.server.openai;

import io.github.internvl4j.error.PromptException;
import java.util.HashSet;
import java.util.Set;

/** Says what keeps a text from being JSON, in JSON's own terms. What reads JSON is Jackson; this is asked when it refuses. */
final class JsonSyntax {
    private static final int MOST_LEVELS = 1000;
    private static final int LONGEST_NUMBER = 1000;
    private static final int SHOWN = 20;

    private final String text;
    private int at;
    private int level;

    private JsonSyntax(String text) {
        this.text = text;
    }

    /** What is wrong and where: the first fault of the text. */
    static String fault(String text) {
        JsonSyntax syntax = new JsonSyntax(text);
        try {
            syntax.value();
            syntax.space();
            if (syntax.at < text.length()) {
                throw syntax.expected("the end");
            }
        } catch (PromptException e) {
            return String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ") + " (" + syntax.position()
                    + ")";
        }
        return "it cannot be read as JSON"; // Jackson has limits of its own
    }

    private String position() {
        String before = text.substring(0, at);
        long line = before.chars().filter(c -> c == '\n').count() + 1;
        int column = at - before.lastIndexOf('\n');
        return (text.strip().indexOf('\n') < 0 ? "" : "line " + line + ", ") + "column " + column;
    }

    private void value() {
        space();
        char first = peek();
        if (first == '{') {
            object();
        } else if (first == '[') {
            array();
        } else if (first == '"') {
            string();
        } else if (first == '-' || isDigit(first)) {
            number();
        } else if (!skip("true") && !skip("false") && !skip("null")) {
            throw expected("a value");
        }
    }

    private void object() {
        enter();
        Set<String> names = new HashSet<>();
        for (boolean first = true; !closes('}'); first = false) {
            if (!first && !skip(",")) {
                throw expected("',' or '}'");
            }
            space();
            if (peek() != '"') {
                throw expected(first ? "a field's name or '}'" : "a field's name");
            }
            int start = at;
            String name = string();
            if (!names.add(name)) {
                at = start;
                throw new PromptException("the field " + JsonText.shortened(name) + " is there twice");
            }
            space();
            if (!skip(":")) {
                throw expected("':'");
            }
            value();
            space();
        }
        level--;
    }

    private void array() {
        enter();
        for (boolean first = true; !closes(']'); first = false) {
            if (!first && !skip(",")) {
                throw expected("',' or ']'");
            }
            value();
            space();
        }
        level--;
    }

    private void enter() {
        at++;
        if (++level > MOST_LEVELS) {
            throw new PromptException("objects and arrays are nested more than " + MOST_LEVELS + " deep");
        }
        space();
    }

    private boolean closes(char bracket) {
        boolean closes = peek() == bracket;
        at += closes ? 1 : 0;
        return closes;
    }

    /** Returns what stands between the quotes, its escapes as they are. */
    private String string() {
        int start = ++at;
        for (; ; at++) {
            char c = peek();
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (at >= text.length()) {
                throw expected("'\"' that ends the string");
            }
            if (c < ' ') {
                throw new PromptException(
                        "a string holds the control character " + escaped(c) + "; expected it as an escape");
            }
            if (c == '\\') {
                escape();
            }
        }
    }

    private void escape() {
        at++;
        if (peek() != 'u') {
            if ("\"\\/bfnrt".indexOf(peek()) < 0 || at >= text.length()) {
                throw expected("one of \" \\ / b f n r t u behind a backslash");
            }
            return;
        }
        for (int digit = 0; digit < 4; digit++) {
            at++;
            if (Character.digit(peek(), 16) < 0 || peek() > 'f') {
                throw expected("four hexadecimal digits behind \\u");
            }
        }
    }

    private void number() {
        int start = at;
        at += peek() == '-' ? 1 : 0;
        if (peek() == '0' && at + 1 < text.length() && isDigit(text.charAt(at + 1))) {
            throw new PromptException("a number has a leading zero");
        }
        digits();
        if (skip(".")) {
            digits();
        }
        if (skip("e") || skip("E")) {
            at += peek() == '-' || peek() == '+' ? 1 : 0;
            digits();
        }
        if (at - start > LONGEST_NUMBER) {
            at = start;
            throw new PromptException("a number has more than " + LONGEST_NUMBER + " characters");
        }
    }

    private void digits() {
        if (!isDigit(peek())) {
            throw expected("a digit");
        }
        while (isDigit(peek())) {
            at++;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean skip(String word) {
        boolean there = text.startsWith(word, at);
        at += there ? word.length() : 0;
        return there;
    }

    private PromptException expected(String what) {
        return new PromptException("expected " + what + ", found " + found());
    }

    /** The word or the sign that stands here. */
    private String found() {
        if (at >= text.length()) {
            return "the end";
        }
        int end = at;
        while (end < text.length() && end - at < SHOWN && Character.isLetterOrDigit(text.charAt(end))) {
            end++;
        }
        return end > at ? text.substring(at, end) : "'" + escaped(text.codePointAt(at)) + "'";
    }

    private static String escaped(int c) {
        return c < ' ' ? String.format("\\u%04x", c) : Character.toString(c);
    }
}
