package io.github.internvl4j;

import io.github.internvl4j.runtime.SystemReport;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The library and what it found on this machine. */
public final class SystemInfo {
    /** The processor. */
    public static final class Cpu {
        private final SystemReport.Processor processor;

        Cpu(SystemReport.Processor processor) {
            this.processor = processor;
        }

        /** The instruction set the kernels use. */
        public String isa() {
            return processor.isa();
        }

        /** What the processor offers of interest. */
        public List<String> features() {
            return processor.features();
        }

        /** How many the process may use. */
        public int threads() {
            return processor.threads();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Cpu that && processor.equals(that.processor);
        }

        @Override
        public int hashCode() {
            return processor.hashCode();
        }

        @Override
        public String toString() {
            return processor.toString().replaceFirst("Processor", "Cpu");
        }
    }

    /** A device. */
    public static final class DeviceInfo {
        private final SystemReport.Found device;

        DeviceInfo(SystemReport.Found device) {
            this.device = device;
        }

        /** {@code cpu}, {@code cuda}, and what more tells it apart. */
        public String name() {
            return device.name();
        }

        /** Whether a model can run on it. */
        public boolean available() {
            return device.available();
        }

        /** Why not; empty if one can. */
        public String reason() {
            return device.reason();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof DeviceInfo that && device.equals(that.device);
        }

        @Override
        public int hashCode() {
            return device.hashCode();
        }

        @Override
        public String toString() {
            return device.toString().replaceFirst("Found", "DeviceInfo");
        }
    }

    private final SystemReport report;

    SystemInfo(SystemReport report) {
        this.report = report;
    }

    /** The native library's version. */
    public String version() {
        return report.version();
    }

    /** The processor. */
    public Cpu cpu() {
        return new Cpu(report.cpu());
    }

    /** What a model could run on, and why not. */
    public List<DeviceInfo> devices() {
        return report.devices().stream().map(DeviceInfo::new).toList();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SystemInfo that && report.equals(that.report);
    }

    @Override
    public int hashCode() {
        return report.hashCode();
    }

    @Override
    public String toString() {
        return report.toString().replaceFirst("SystemReport", "SystemInfo");
    }
}
