package io.github.internvl4j.bench.peers;

import io.github.internvl4j.bench.peers.Svg.Anchor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The results as bars, a group for each task and way of ours, and for each decoder its speed over the length of the context.
 */
final class Chart {
    private static final int WIDTH = 900;
    private static final int MARGIN = 20;
    private static final int COLUMN = (WIDTH - 3 * MARGIN) / 2;
    private static final int LABEL = 130;
    private static final int ROW = 18;
    private static final int GAP = 14;
    private static final int PLOT_HEIGHT = 260;

    private static final Map<Engine, String> COLOURS = Map.of(
            Engine.INTERNVL4J, "#e8590c",
            Engine.ONEDNN, "#1c7ed6",
            Engine.LLAMA_CPP, "#7048e8",
            Engine.IK_LLAMA_CPP, "#2b8a3e",
            Engine.PYTORCH, "#868e96");

    private record Bar(Side side, double speed) {}

    /** Ours and its peers; the bars are as long as their speeds. */
    private record Group(String title, List<Bar> bars) {
        int height() {
            return ROW * (1 + bars.size()) + GAP;
        }

        double fastest() {
            return bars.stream().mapToDouble(Bar::speed).max().orElseThrow();
        }
    }

    private final Svg svg = new Svg();
    private final List<TrialResult> trials;

    private Chart(Results results) {
        trials = results.best();
    }

    /** @return the SVG document */
    static String of(Results results) {
        Chart chart = new Chart(results);
        int height = chart.bars();
        for (String shape :
                chart.decoded().map(trial -> trial.task().shape()).distinct().toList()) {
            height = chart.curves(shape, height);
        }
        return chart.svg.document(WIDTH, height);
    }

    /** @return the y below them */
    private int bars() {
        List<Group> groups = groups();
        int half = groups.stream().mapToInt(Group::height).sum() / 2;
        int[] bottom = {MARGIN, MARGIN};
        int filled = 0;
        for (Group group : groups) {
            int column = filled < half ? 0 : 1;
            bottom[column] = draw(group, MARGIN + column * (COLUMN + MARGIN), bottom[column]);
            filled += group.height();
        }
        return Math.max(bottom[0], bottom[1]);
    }

    /** Of decoding, behind a decoder's fewest tokens: the rest is the curves'. */
    private List<Group> groups() {
        Map<String, Integer> fewest = new HashMap<>();
        decoded()
                .forEach(
                        trial -> fewest.merge(trial.task().shape(), trial.task().tokens(), Math::min));
        Map<String, List<TrialResult>> byTitle = new LinkedHashMap<>();
        for (TrialResult trial : trials) {
            Task task = trial.task();
            if (task.kind() == Task.Kind.DECODE && task.tokens() > fewest.get(task.shape())) {
                continue;
            }
            String title = "%s, %s (%s)"
                    .formatted(task, trial.ours().way(), task.kind().unit());
            byTitle.computeIfAbsent(title, any -> new ArrayList<>()).add(trial);
        }
        List<Group> groups = new ArrayList<>();
        byTitle.forEach((title, members) -> {
            List<Bar> bars = new ArrayList<>();
            bars.add(new Bar(members.get(0).ours(), ourSpeed(members)));
            members.forEach(
                    member -> bars.add(new Bar(member.peer(), member.peerSpeed().median())));
            groups.add(new Group(title, bars));
        });
        return groups;
    }

    /** Ours was measured once with each peer. */
    private static double ourSpeed(List<TrialResult> trials) {
        return Spread.of(trials.stream()
                        .mapToDouble(trial -> trial.ourSpeed().median())
                        .toArray())
                .median();
    }

    private int draw(Group group, int x, int y) {
        svg.text(x, y + 12, Anchor.START, "ink bold", group.title());
        int row = y + ROW;
        double scale = (COLUMN - LABEL - 50) / group.fastest();
        for (Bar bar : group.bars()) {
            svg.text(x + LABEL - 6, row + 12, Anchor.END, "ink", bar.side().label());
            svg.rectangle(
                    x + LABEL,
                    row + 2,
                    bar.speed() * scale,
                    ROW - 5,
                    COLOURS.get(bar.side().engine()));
            svg.text(x + LABEL + bar.speed() * scale + 5, row + 12, Anchor.START, "faint", Table.number(bar.speed()));
            row += ROW;
        }
        return row + GAP;
    }

    /** @return the y below them, or the same if the decoder was not timed behind two lengths or more */
    private int curves(String shape, int top) {
        Map<Side, TreeMap<Integer, Double>> lines = new LinkedHashMap<>();
        decoded().filter(trial -> trial.task().shape().equals(shape)).forEach(trial -> {
            point(lines, trial.ours(), trial.task(), trial.ourSpeed());
            // Its variants are one line.
            Side peer = new Side(trial.peer().engine(), trial.peer().format(), "");
            point(lines, peer, trial.task(), trial.peerSpeed());
        });
        lines.values().removeIf(line -> line.size() < 2);
        if (lines.isEmpty()) {
            return top;
        }
        double most = lines.values().stream()
                .flatMap(line -> line.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElseThrow();
        int longest = lines.values().stream().mapToInt(TreeMap::lastKey).max().orElseThrow();
        svg.text(MARGIN, top + 12, Anchor.START, "ink bold", shape + " decode over tokens already there (tokens/s)");
        Plot plot = new Plot(top + 34, longest, most * 1.05);
        plot.axes(lines.values().stream()
                .flatMap(line -> line.keySet().stream())
                .collect(Collectors.toCollection(TreeSet::new)));
        lines.forEach(plot::line);
        return top + 34 + PLOT_HEIGHT + 40;
    }

    /** Ours is there once with each peer: its best counts, like the peers' variants'. */
    private static void point(Map<Side, TreeMap<Integer, Double>> lines, Side side, Task task, Spread speed) {
        lines.computeIfAbsent(side, any -> new TreeMap<>()).merge(task.tokens(), speed.median(), Math::max);
    }

    private Stream<TrialResult> decoded() {
        return trials.stream().filter(trial -> trial.task().kind() == Task.Kind.DECODE);
    }

    private final class Plot {
        private static final int LEFT = 60;
        private static final int RIGHT = WIDTH - 190;

        private final int top;
        private final int longest;
        private final double most;
        private int legend;

        Plot(int top, int longest, double most) {
            this.top = top;
            this.longest = longest;
            this.most = most;
        }

        void axes(SortedSet<Integer> pasts) {
            double step = step(most);
            for (double speed = 0; speed <= most; speed += step) {
                svg.rule(LEFT, y(speed), RIGHT, y(speed));
                String label = step < 1 ? Table.number(speed) : Long.toString(Math.round(speed));
                svg.text(LEFT - 6, y(speed) + 4, Anchor.END, "faint", label);
            }
            pasts.forEach(past -> svg.text(x(past), top + PLOT_HEIGHT + 18, Anchor.MIDDLE, "faint", past.toString()));
        }

        void line(Side side, TreeMap<Integer, Double> speeds) {
            double[] points = new double[2 * speeds.size()];
            int i = 0;
            for (Map.Entry<Integer, Double> entry : speeds.entrySet()) {
                points[i++] = x(entry.getKey());
                points[i++] = y(entry.getValue());
            }
            String colour = COLOURS.get(side.engine());
            String dashes = dashes(side.format());
            svg.curve(points, colour, dashes);
            double y = top + 8 + ROW * legend++;
            svg.curve(new double[] {RIGHT + 14, y, RIGHT + 42, y}, colour, dashes);
            svg.text(RIGHT + 50, y + 4, Anchor.START, "ink", side.label());
        }

        private static String dashes(Format format) {
            return switch (format) {
                case INT8, Q8_0 -> "";
                case BF16 -> "7 4";
                case F16 -> "2 3";
                case F32 -> "12 3 2 3";
            };
        }

        private double x(int past) {
            return LEFT + (double) past / longest * (RIGHT - LEFT);
        }

        private double y(double speed) {
            return top + PLOT_HEIGHT * (1 - speed / most);
        }

        /** 1, 2 or 5 times a power of ten, so that there are about five lines. */
        private static double step(double most) {
            double power = Math.pow(10, Math.floor(Math.log10(most / 5)));
            double digit = most / 5 / power;
            return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
        }
    }
}
