package io.github.internvl4j.evaluate;

import java.util.List;

/** SEED: the first character of the answer against the letter, by type of question. */
final class SeedScorer {
    private static final List<String> TYPES = Tables.list("/seed");
    /** Types above have videos. */
    private static final int LAST_IMAGE_TYPE = 9;

    private SeedScorer() {}

    /**
     * A question with its answer.
     *
     * @param type from 1
     */
    record Case(int type, String prediction, String answer) {
        /** An empty answer, at which the original fails, is wrong. */
        boolean right() {
            return !answer.isEmpty() && Python.first(prediction).equals(answer);
        }
    }

    /** Acc@1 of the first script: plain equality. */
    static double exact(List<Case> cases) {
        long right = cases.stream()
                .filter(one -> one.prediction().equals(one.answer()))
                .count();
        return cases.isEmpty() ? 0 : (double) right / cases.size();
    }

    /** In percent, of the questions about images. */
    static double images(List<Case> cases) {
        return percent(
                cases.stream().filter(one -> one.type() <= LAST_IMAGE_TYPE).toList());
    }

    /** As the original prints it, without what there are no questions of, at which it fails. */
    static String report(List<Case> cases) {
        StringBuilder report = new StringBuilder("length: " + cases.size() + "\nAccuracy for each data type:\n");
        for (int type = 1; type <= TYPES.size(); type++) {
            int id = type;
            line(
                    report,
                    "Data type " + TYPES.get(type - 1),
                    cases.stream().filter(one -> one.type() == id).toList());
        }
        line(report, "Total accuracy", cases);
        line(
                report,
                "Image accuracy",
                cases.stream().filter(one -> one.type() <= LAST_IMAGE_TYPE).toList());
        line(
                report,
                "Video accuracy",
                cases.stream().filter(one -> one.type() > LAST_IMAGE_TYPE).toList());
        return report.toString();
    }

    private static void line(StringBuilder report, String name, List<Case> cases) {
        if (!cases.isEmpty()) {
            report.append(name)
                    .append(": ")
                    .append(Python.fixed(percent(cases), 2))
                    .append("%\n");
        }
    }

    private static double percent(List<Case> cases) {
        long right = cases.stream().filter(Case::right).count();
        return cases.isEmpty() ? 0 : (double) right / cases.size() * 100;
    }
}
