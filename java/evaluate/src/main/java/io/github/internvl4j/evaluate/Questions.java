package io.github.internvl4j.evaluate;

import java.util.Map;

/** The sentences that the scripts add to questions. */
final class Questions {
    static final String SHORT = "Answer the question using a single word or phrase.";
    static final String LETTER = "Answer with the option's letter from the given choices directly.";
    static final String CHINESE_LETTER = "请直接回答选项字母。";
    static final String UNANSWERABLE =
            "When the provided information is insufficient, respond with 'Unanswerable'. " + SHORT;

    private Questions() {}

    /** The question, a line for each option, and what kind of answer is wanted. */
    static String choice(String question, Map<String, String> options, String suffix) {
        StringBuilder text = new StringBuilder(question).append('\n');
        options.forEach((letter, option) ->
                text.append(letter).append(". ").append(option).append('\n'));
        return text.append(suffix).toString();
    }
}
