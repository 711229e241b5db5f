package io.github.internvl4j.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.PromptException;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is told of texts that are no JSON. */
class JsonSyntaxTest {
    private static final String SOUND =
            "{\"a\": [1, -2.5e+3, true, null, \"\\u00e9\\n\"], \"b\": {\"c\": {}}, \"d\": [], \"e\": 0}";

    @Test
    void theFirstFaultIsTold() {
        Map<String, String> faults = Map.ofEntries(
                Map.entry("", "expected a value, found the end (column 1)"),
                Map.entry("{\"a\": 1", "expected ',' or '}', found the end (column 8)"),
                Map.entry("{\"a\" 1}", "expected ':', found 1 (column 6)"),
                Map.entry("{a: 1}", "expected a field's name or '}', found a (column 2)"),
                Map.entry("{\"a\": 1,}", "expected a field's name, found '}' (column 9)"),
                Map.entry("[1 2]", "expected ',' or ']', found 2 (column 4)"),
                Map.entry("[1,]", "expected a value, found ']' (column 4)"),
                Map.entry("{\"a\": NaN}", "expected a value, found NaN (column 7)"),
                Map.entry("{\"a\": 'x'}", "expected a value, found ''' (column 7)"),
                Map.entry("{} {}", "expected the end, found '{' (column 4)"),
                Map.entry("{\"a\": 1, \"a\": 2}", "the field a is there twice (column 10)"),
                Map.entry("{\"a\": 01}", "a number has a leading zero (column 7)"),
                Map.entry("{\"a\": 1.}", "expected a digit, found '}' (column 9)"),
                Map.entry("{\"a\": \"b", "expected '\"' that ends the string, found the end (column 9)"),
                Map.entry("\"\\x\"", "expected one of \" \\ / b f n r t u behind a backslash, found x (column 3)"),
                Map.entry("\"\\u12g4\"", "expected four hexadecimal digits behind \\u, found g4 (column 6)"),
                Map.entry(
                        "\"a\tb\"",
                        "a string holds the control character \\u0009; expected it as an escape (column 3)"),
                Map.entry("[1,\n 2,\n x]", "expected a value, found x (line 3, column 2)"),
                Map.entry("[".repeat(1001), "objects and arrays are nested more than 1000 deep (column 1002)"));
        faults.forEach((text, fault) -> {
            PromptException failure = assertThrows(PromptException.class, () -> JsonText.parse(text), text);
            assertEquals(fault, failure.getMessage());
        });
    }

    /** Whatever Jackson refuses is explained, and it speaks for itself nowhere. */
    @Test
    void damagedTextsAreExplained() {
        Random random = new Random(7);
        String signs = "{}[]\":,\\01eE+-.tfn \t\nx\u00e9";
        JsonText.parse(SOUND);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(SOUND);
            for (int change = random.nextInt(3); change >= 0; change--) {
                text.setCharAt(random.nextInt(text.length()), signs.charAt(random.nextInt(signs.length())));
            }
            String damaged = text.substring(0, random.nextInt(10) == 0 ? random.nextInt(text.length()) : text.length());
            try {
                JsonText.parse(damaged);
            } catch (PromptException e) {
                String message = String.valueOf(e.getMessage());
                assertTrue(message.contains("column"), damaged + ": " + message);
                assertFalse(message.contains("Feature") || message.contains("java."), message);
            }
        }
    }

    @Test
    void whatIsLongIsShortened() {
        assertEquals("a".repeat(60) + "... (1,000 characters)", JsonText.shortened("a".repeat(1000)));
        assertEquals("a".repeat(59) + "... (61 characters)", JsonText.shortened("a".repeat(59) + "\ud83e\udd8a"));
    }
}
