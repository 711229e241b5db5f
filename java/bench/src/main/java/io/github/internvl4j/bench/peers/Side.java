package io.github.internvl4j.bench.peers;

/**
 * One of the two that take turns.
 *
 * @param format of the weights
 * @param variant what else tells this way of asking the engine from another, such as flash attention; or empty
 */
record Side(Engine engine, Format format, String variant) {
    static Side ours(Format format) {
        return new Side(Engine.INTERNVL4J, format, "");
    }

    /** Of the variants of one engine and format the best counts. */
    String label() {
        return engine + " " + format;
    }
}
