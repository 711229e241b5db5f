package io.github.internvl4j.cli.traffic;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the requests saw, as figures. */
public final class TrafficReport {
    private final List<Traffic.Seen> seen;
    private final double seconds;

    TrafficReport(List<Traffic.Seen> seen, double seconds) {
        this.seen = List.copyOf(seen);
        this.seconds = seconds;
    }

    /**
     * The figures, times in seconds.
     *
     * @param firstToken to the first token, at most, for a request to count as good
     * @param gap between two tokens, at most, likewise
     */
    public Map<String, Object> figures(double firstToken, double gap) {
        List<Traffic.Seen> whole = seen.stream()
                .filter(each -> !each.failed() && each.tokens() > 0)
                .toList();
        double[] first =
                whole.stream().mapToDouble(Traffic.Seen::firstToken).sorted().toArray();
        double[] gaps = whole.stream()
                .flatMap(each -> each.gaps().stream())
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        long good = whole.stream()
                .filter(each ->
                        each.firstToken() <= firstToken && each.gaps().stream().allMatch(g -> g <= gap))
                .count();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("requests", seen.size());
        figures.put("failed", seen.stream().filter(Traffic.Seen::failed).count());
        figures.put("seconds", seconds);
        figures.put(
                "tokens_per_second",
                seen.stream().mapToInt(Traffic.Seen::tokens).sum() / seconds);
        figures.put("first_token_p50", quantile(first, 0.5));
        figures.put("first_token_p99", quantile(first, 0.99));
        figures.put("between_tokens_p50", quantile(gaps, 0.5));
        figures.put("between_tokens_p99", quantile(gaps, 0.99));
        figures.put("between_tokens_max", quantile(gaps, 1));
        figures.put("good_requests_per_second", good / seconds);
        return figures;
    }

    /** The least value that so many of them do not exceed; 0 of none. */
    static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(share * sorted.length) - 1];
    }
}
