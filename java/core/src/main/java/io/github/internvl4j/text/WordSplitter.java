package io.github.internvl4j.text;

import static io.github.internvl4j.text.UnicodeLetters.LETTER;
import static io.github.internvl4j.text.UnicodeLetters.NUMBER;
import static io.github.internvl4j.text.UnicodeLetters.OTHER;
import static io.github.internvl4j.text.UnicodeLetters.SPACE;

import java.util.OptionalInt;

/**
 * Cuts a text into words as the regular expression of Qwen2 and Llama 3 does, which differ in how many digits are one
 * word. Written out, not given to {@link java.util.regex}: that takes letters by the Unicode version of the Java it
 * runs on, and longer. Immutable.
 */
final class WordSplitter {
    private static final String BEFORE_DIGITS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}";
    private static final String AFTER_DIGITS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private final int maxDigits;
    private final UnicodeLetters letters;

    /** @param maxDigits how many digits a word has at most */
    WordSplitter(int maxDigits, UnicodeLetters letters) {
        this.maxDigits = maxDigits;
        this.letters = letters;
    }

    /** How many digits a word has by this regular expression; empty if it is not one of this kind. */
    static OptionalInt maxDigits(String regex) {
        if (!regex.startsWith(BEFORE_DIGITS)
                || !regex.endsWith(AFTER_DIGITS)
                || regex.length() < BEFORE_DIGITS.length() + AFTER_DIGITS.length()) {
            return OptionalInt.empty();
        }
        return switch (regex.substring(BEFORE_DIGITS.length(), regex.length() - AFTER_DIGITS.length())) {
            case "" -> OptionalInt.of(1);
            case "{1,2}" -> OptionalInt.of(2);
            case "{1,3}" -> OptionalInt.of(3);
            default -> OptionalInt.empty();
        };
    }

    /** The end of the word that begins at {@code from}; the alternatives in the order of the expression. */
    int end(String text, int from) {
        int c = text.codePointAt(from);
        int after = from + Character.charCount(c);
        int kind = letters.kind(c);
        int contraction = c == '\'' ? contraction(text, after) : 0;
        if (contraction > 0) {
            return after + contraction;
        }
        if (kind == LETTER) {
            return runOf(LETTER, text, after);
        }
        if (kind == NUMBER) {
            int end = after;
            for (int digits = 1; digits < maxDigits && kindAt(text, end) == NUMBER; digits++) {
                end += Character.charCount(text.codePointAt(end));
            }
            return end;
        }
        if (c != '\r' && c != '\n' && kindAt(text, after) == LETTER) {
            return runOf(LETTER, text, after);
        }
        if (kind == OTHER || c == ' ' && kindAt(text, after) == OTHER) {
            return newLines(text, runOf(OTHER, text, after));
        }
        return spaces(text, from);
    }

    private static int contraction(String text, int from) {
        char first = from < text.length() ? lower(text.charAt(from)) : 0;
        char second = from + 1 < text.length() ? lower(text.charAt(from + 1)) : 0;
        return switch (first) {
            case 's', 't', 'm', 'd' -> 1;
            case 'r', 'v' -> second == 'e' ? 2 : 0;
            case 'l' -> second == 'l' ? 2 : 0;
            default -> 0;
        };
    }

    private static char lower(char c) {
        return c == '\u017F' ? 's' : c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
    }

    /** Spaces up to the last line end among them; else all but the one before a word; else all. */
    private int spaces(String text, int from) {
        int end = runOf(SPACE, text, from);
        for (int i = end; i > from; i--) {
            if (text.charAt(i - 1) == '\r' || text.charAt(i - 1) == '\n') {
                return i;
            }
        }
        return end < text.length() && end - from > 1 ? end - 1 : end;
    }

    private static int newLines(String text, int from) {
        int end = from;
        while (end < text.length() && (text.charAt(end) == '\r' || text.charAt(end) == '\n')) {
            end++;
        }
        return end;
    }

    private int runOf(int kind, String text, int from) {
        int end = from;
        while (kindAt(text, end) == kind) {
            end += Character.charCount(text.codePointAt(end));
        }
        return end;
    }

    private int kindAt(String text, int at) {
        return at < text.length() ? letters.kind(text.codePointAt(at)) : -1;
    }
}
