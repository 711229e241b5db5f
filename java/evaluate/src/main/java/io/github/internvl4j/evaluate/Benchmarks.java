package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The benchmarks of the model card, and the demo checkpoint's own. */
public final class Benchmarks {
    private static final List<Benchmark> ALL = Stream.concat(
                    Stream.of(
                            new Mmmu("validation"),
                            new Mmmu("test"),
                            new MathVista("testmini"),
                            new MathVista("test"),
                            new Mmbench("mmbench_test_en_20231003"),
                            new Mmbench("mmbench_test_cn_20231003"),
                            new Mmbench("mmbench_dev_en_20231003"),
                            new Mmbench("mmbench_dev_cn_20231003"),
                            new Mmvp(),
                            new Mme("mme"),
                            new ScienceQa(),
                            new Pope(),
                            new Seed(),
                            new Gqa(),
                            new DemoExam()),
                    Vqa.all().stream())
            .toList();

    private Benchmarks() {}

    /** All, in the card's order. */
    public static List<Benchmark> all() {
        return ALL;
    }

    /**
     * Those that are named.
     *
     * @param names of benchmarks, or of families such as {@code mmmu}, in any case
     * @throws IllegalArgumentException if there is no such one; the message has those that are
     */
    public static List<Benchmark> named(List<String> names) {
        List<Benchmark> found = new ArrayList<>();
        for (String name : names) {
            List<Benchmark> matching = ALL.stream()
                    .filter(one -> one.name().equalsIgnoreCase(name)
                            || one.about().family().equals(name.toLowerCase(Locale.ROOT)))
                    .toList();
            if (matching.isEmpty()) {
                throw new IllegalArgumentException("there is no benchmark " + name + "; there are "
                        + String.join(", ", ALL.stream().map(Benchmark::name).toList()));
            }
            matching.stream().filter(one -> !found.contains(one)).forEach(found::add);
        }
        return found;
    }

    /**
     * A benchmark as other scripts than {@link Scripts#APRIL_2024} ask it, or a model with tiles.
     *
     * @param tiles whether the model's images are cut
     */
    public static Benchmark askedBy(Scripts scripts, boolean tiles, Benchmark benchmark) {
        return benchmark instanceof Published own ? own.askedBy(scripts, tiles) : benchmark;
    }

    /** A benchmark with a judge, if it can use one. */
    public static Benchmark judgedBy(Judge judge, Benchmark benchmark) {
        return benchmark instanceof MathVista own ? own.judgedBy(judge) : benchmark;
    }
}
