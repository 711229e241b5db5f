package io.github.internvl4j.evaluate;

/** One of the card's, which {@code benchmarks.json} tells of. */
abstract class Published implements Benchmark {
    @Override
    public final About about() {
        return About.of(name());
    }

    @Override
    public boolean hasScriptsBeams() {
        return true;
    }

    /**
     * As these scripts ask it.
     *
     * @param tiles whether the model's images are cut
     */
    Benchmark askedBy(Scripts scripts, boolean tiles) {
        return this;
    }
}
