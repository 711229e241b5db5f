package io.github.internvl4j.runtime;

import java.util.List;

/** The parts of a {@link io.github.internvl4j.SystemInfo}, which says what each one is. */
public record SystemReport(String version, Processor cpu, List<Found> devices) {
    /** Copies the list. */
    public SystemReport {
        devices = List.copyOf(devices);
    }

    /** The processor. */
    public record Processor(String isa, List<String> features, int threads) {
        /** Copies the list. */
        public Processor {
            features = List.copyOf(features);
        }
    }

    /** A device. */
    public record Found(String name, boolean available, String reason) {}
}
