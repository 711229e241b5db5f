package io.github.internvl4j.evaluate;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** MMBench's dev splits without a judge: the evaluation toolkit's exact matching, and its circular groups. */
final class MmbenchMatching {
    private static final List<String> REFUSALS = List.of(
            "Sorry, I can't help with images of people yet.",
            "I can't process this file.",
            "I'm sorry, but without the image provided",
            "Cannot determine the answer");
    /** A letter counts among so many last words. */
    private static final int LAST_WORDS = 5;

    private MmbenchMatching() {}

    /** One copy of a question. */
    record Copy(String prediction, String gold, Map<String, String> options) {}

    /** What a group of copies is worth; not decided where the toolkit would ask a judge. */
    record Group(boolean hit, boolean decided) {}

    /** The letter that an answer certainly means, {@code Z} for a refusal, null where a judge would be asked. */
    static @Nullable String match(String answer, Map<String, String> options) {
        if (answer.contains("Failed to obtain answer via API")) {
            return byText(answer, options);
        }
        if (REFUSALS.stream().anyMatch(answer::contains)) {
            return "Z";
        }
        List<String> words = Python.words(answer.replaceAll("[.()\\[\\],:;!*#{}]", " "));
        List<String> named = options.keySet().stream().filter(words::contains).toList();
        if (named.size() == 1 && words.indexOf(named.get(0)) > words.size() - LAST_WORDS) {
            return named.get(0);
        }
        return named.isEmpty() && words.contains("Z") ? "Z" : byText(answer, options);
    }

    private static @Nullable String byText(String answer, Map<String, String> options) {
        String lower = Python.lower(answer);
        int texts = options.values().stream().mapToInt(Python::length).sum();
        if (Python.length(lower) > 2 * texts) {
            return null; // too long for a mention to mean it
        }
        List<String> named = options.entrySet().stream()
                .filter(option -> lower.contains(Python.lower(option.getValue())))
                .map(Map.Entry::getKey)
                .toList();
        return named.size() == 1 ? named.get(0) : null;
    }

    /** A group is right if every copy is. */
    static Group circular(List<Copy> copies) {
        boolean all = true;
        for (Copy copy : copies) {
            String letter = match(copy.prediction(), copy.options());
            if (letter != null && !letter.equals(copy.gold())) {
                return new Group(false, true);
            }
            all &= letter != null;
        }
        return new Group(all, all);
    }
}
