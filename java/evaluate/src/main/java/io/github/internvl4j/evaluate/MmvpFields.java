package io.github.internvl4j.evaluate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What MMVP's CSV holds in a field. */
final class MmvpFields {
    private MmvpFields() {}

    /** {@code (a) Open (b) Closed}: texts by letter. */
    static Map<String, String> options(String field) {
        Map<String, String> options = new LinkedHashMap<>();
        List<String> parts = Python.split(field, "(b)");
        for (int i = 0; i < parts.size(); i++) {
            options.put(OptionLetters.letter(i), Python.strip(parts.get(i).replace("(a)", "")));
        }
        return options;
    }

    /** {@code (a)}: A. */
    static String gold(String field) {
        return field.replace("(", "").replace(")", "").toUpperCase(Locale.ROOT);
    }
}
