package io.github.internvl4j;

import java.util.List;

/**
 * The library and what it found on this machine.
 *
 * @param version of the native library
 * @param cpu the processor
 * @param devices what a model could run on, and why not
 */
public record SystemInfo(String version, Cpu cpu, List<DeviceInfo> devices) {
    /**
     * The processor.
     *
     * @param isa the instruction set the kernels use
     * @param features what the processor offers of interest
     * @param threads how many the process may use
     */
    public record Cpu(String isa, List<String> features, int threads) {}

    /**
     * A device.
     *
     * @param name "cpu", "cuda"
     * @param available whether a model can run on it
     * @param reason why not
     */
    public record DeviceInfo(String name, boolean available, String reason) {}
}
