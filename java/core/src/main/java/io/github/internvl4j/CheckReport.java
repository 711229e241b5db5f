package io.github.internvl4j;

import io.github.internvl4j.runtime.CheckpointReport;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A checkpoint's weights, tokenizer and preprocessor against what its configuration needs. */
public final class CheckReport {
    /**
     * A tensor with values that are no numbers. A record: what it says is all there is to say.
     *
     * @param tensor its name
     * @param count how many
     * @param first the first one's index in row-major order
     */
    public record NonFinite(String tensor, long count, long first) {
        /** Nothing may be null. */
        public NonFinite {
            Objects.requireNonNull(tensor, "tensor");
        }
    }

    private final CheckpointReport report;

    CheckReport(CheckpointReport report) {
        this.report = report;
    }

    /** Tensors that are not there. */
    public List<String> missing() {
        return report.missing();
    }

    /**
     * Tensors of another shape or type, with what was expected; files for text and images that cannot be used, with the reason.
     */
    public List<String> wrong() {
        return report.wrong();
    }

    /** Tensors that the model has no use for. */
    public List<String> unexpected() {
        return report.unexpected();
    }

    /** Tensors that hold NaN or infinity; empty if values were not looked at. */
    public List<NonFinite> nonFinite() {
        return report.nonFinite();
    }

    /** Whether the checkpoint can be loaded and holds only numbers, as far as looked at. */
    public boolean ok() {
        return missing().isEmpty() && wrong().isEmpty() && nonFinite().isEmpty();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CheckReport that && report.equals(that.report);
    }

    @Override
    public int hashCode() {
        return report.hashCode();
    }

    @Override
    public String toString() {
        return report.toString().replaceFirst("CheckpointReport", "CheckReport");
    }
}
