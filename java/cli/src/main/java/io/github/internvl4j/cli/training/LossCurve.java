package io.github.internvl4j.cli.training;

import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The loss over the steps, of what is learnt and of what is held out, as SVG. */
public final class LossCurve {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 400;
    private static final int LEFT = 60;
    private static final int RIGHT = 20;
    private static final int TOP = 30;
    private static final int BOTTOM = 40;
    private static final int LINES = 5;

    private final NavigableMap<Long, Double> learnt = new TreeMap<>();
    private final NavigableMap<Long, Double> heldOut = new TreeMap<>();

    void learnt(long step, double loss) {
        learnt.put(step, loss);
    }

    void heldOut(long step, double loss) {
        heldOut.put(step, loss);
    }

    /** The picture; of no step it has the axes alone. */
    public String svg() {
        double most = Math.max(most(learnt), most(heldOut));
        long last = Math.max(1, Math.max(last(learnt), last(heldOut)));
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                WIDTH,
                HEIGHT));
        for (int line = 0; line <= LINES; line++) {
            double loss = most * line / LINES;
            svg.append(String.format(
                    Locale.ROOT,
                    "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>%n",
                    LEFT,
                    y(loss, most),
                    WIDTH - RIGHT,
                    LEFT - 6,
                    y(loss, most) + 4,
                    loss));
        }
        svg.append(text(LEFT, HEIGHT - 20, "start", "step 0"));
        svg.append(text(WIDTH - RIGHT, HEIGHT - 20, "end", "step " + last));
        svg.append(line(learnt, most, last, "#1f77b4"));
        svg.append(line(heldOut, most, last, "#d62728"));
        String legend = heldOut.isEmpty()
                ? "loss of what is learnt"
                : "loss of what is learnt (blue) and of what is held out (red)";
        svg.append(text(LEFT, TOP - 12, "start", legend));
        return svg.append("</svg>\n").toString();
    }

    private static double most(NavigableMap<Long, Double> losses) {
        return losses.values().stream().mapToDouble(Double::doubleValue).max().orElse(1);
    }

    private static long last(NavigableMap<Long, Double> losses) {
        return losses.isEmpty() ? 0 : losses.lastKey();
    }

    private static double x(long step, long last) {
        return LEFT + (double) (WIDTH - LEFT - RIGHT) * step / last;
    }

    private static double y(double loss, double most) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * loss / most;
    }

    private static String text(int x, int y, String anchor, String words) {
        return "<text x=\"" + x + "\" y=\"" + y + "\" text-anchor=\"" + anchor + "\">" + words + "</text>\n";
    }

    private static String line(NavigableMap<Long, Double> losses, double most, long last, String colour) {
        return losses.entrySet().stream()
                .map(point ->
                        String.format(Locale.ROOT, "%.1f,%.1f", x(point.getKey(), last), y(point.getValue(), most)))
                .collect(Collectors.joining(
                        " ",
                        "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"1.5\" points=\"",
                        "\"/>\n"));
    }
}
