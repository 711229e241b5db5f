package io.github.internvl4j.evaluate;

import java.util.List;

/** MME: yes or no, and a task's points. */
final class MmeScorer {
    private MmeScorer() {}

    /** An answer as the result files have it. */
    static String response(String answer) {
        String english =
                answer.replace("\n", "").replace("不是", "No").replace("是", "Yes").replace("否", "No");
        return Python.lower(english)
                .replace("true", "yes")
                .replace("false", "no")
                .replaceAll("[\\u4E00-\\u9FA5]", "");
    }

    /** {@code yes}, {@code no} or {@code other}. */
    static String label(String response) {
        String lower = Python.lower(response);
        String prefix = lower.substring(0, lower.offsetByCodePoints(0, Math.min(4, Python.length(lower))));
        if (prefix.contains("yes")) {
            return "yes";
        }
        return prefix.contains("no") ? "no" : "other";
    }

    /**
     * A task's points: 100 x the share of right questions, and 100 x that of pictures with both right.
     *
     * @param right of each question, two a picture
     */
    static double points(List<Boolean> right) {
        long questions = right.stream().filter(is -> is).count();
        int pictures = (right.size() + 1) / 2;
        int both = 0;
        for (int i = 0; i < right.size(); i += 2) {
            both += right.get(i) && right.get(Math.min(i + 1, right.size() - 1)) ? 1 : 0;
        }
        return right.isEmpty() ? 0 : (double) questions / right.size() * 100 + (double) both / pictures * 100;
    }
}
