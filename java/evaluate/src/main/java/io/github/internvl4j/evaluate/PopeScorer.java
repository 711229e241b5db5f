package io.github.internvl4j.evaluate;

import java.util.List;

/** POPE: yes or no, and the counts of a category. */
final class PopeScorer {
    private PopeScorer() {}

    /** {@code yes} or {@code no}: whatever does not say no is a yes. */
    static String parse(String answer) {
        int period = answer.indexOf('.');
        List<String> words = Python.split((period < 0 ? answer : answer.substring(0, period)).replace(",", ""), " ");
        return words.contains("No") || words.contains("not") || words.contains("no") ? "no" : "yes";
    }

    /** Right and wrong answers: positive is yes. */
    record Counts(int truePositive, int falsePositive, int trueNegative, int falseNegative) {
        /** What was answered where. Labels other than {@code no} are yes. */
        static Counts of(List<String> parsed, List<String> labels) {
            int[] counts = new int[4];
            for (int i = 0; i < parsed.size(); i++) {
                boolean said = !parsed.get(i).equals("no");
                boolean is = !labels.get(i).equals("no");
                counts[said ? (is ? 0 : 1) : (is ? 3 : 2)]++;
            }
            return new Counts(counts[0], counts[1], counts[2], counts[3]);
        }

        int all() {
            return truePositive + falsePositive + trueNegative + falseNegative;
        }

        double accuracy() {
            return ratio(truePositive + trueNegative, all());
        }

        double precision() {
            return ratio(truePositive, truePositive + falsePositive);
        }

        double recall() {
            return ratio(truePositive, truePositive + falseNegative);
        }

        double f1() {
            return ratio(2 * precision() * recall(), precision() + recall());
        }

        double yesRatio() {
            return ratio(truePositive + falsePositive, all());
        }

        /** 0 where the original divides by zero. */
        private static double ratio(double part, double whole) {
            return whole == 0 ? 0 : part / whole;
        }

        /** As the original prints a category. */
        String report(String category) {
            StringBuilder report = new StringBuilder(String.format(
                    "Category: %s, # samples: %d\nTP\tFP\tTN\tFN\t\n%d\t%d\t%d\t%d\n",
                    category, all(), truePositive, falsePositive, trueNegative, falseNegative));
            report.append("Accuracy: ").append(Python.text(accuracy()));
            report.append("\nPrecision: ").append(Python.text(precision()));
            report.append("\nRecall: ").append(Python.text(recall()));
            report.append("\nF1 score: ").append(Python.text(f1()));
            report.append("\nYes ratio: ").append(Python.text(yesRatio()));
            List<Double> all = List.of(f1(), accuracy(), precision(), recall(), yesRatio());
            report.append('\n')
                    .append(String.join(
                            ", ", all.stream().map(x -> Python.fixed(x, 3)).toList()));
            return report.append("\n====================================\n").toString();
        }
    }
}
