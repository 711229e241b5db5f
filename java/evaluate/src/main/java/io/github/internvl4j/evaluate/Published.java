package io.github.internvl4j.evaluate;

/** One of the card's, which {@code benchmarks.json} tells of. */
abstract class Published implements Benchmark {
    @Override
    public final About about() {
        return About.of(name());
    }
}
