package io.github.internvl4j;

import java.util.List;

/**
 * A checkpoint's weights, tokenizer and preprocessor against what its configuration needs.
 *
 * @param missing tensors that are not there
 * @param wrong tensors of another shape or type, with what was expected; files for text and images that cannot be used, with the
 *     reason
 * @param unexpected tensors that the model has no use for
 * @param nonFinite tensors that hold NaN or infinity; empty if values were not looked at
 */
public record CheckReport(
        List<String> missing, List<String> wrong, List<String> unexpected, List<NonFinite> nonFinite) {
    /**
     * A tensor with values that are no numbers.
     *
     * @param tensor its name
     * @param count how many
     * @param first the first one's index in row-major order
     */
    public record NonFinite(String tensor, long count, long first) {}

    /** Whether the checkpoint can be loaded and holds only numbers, as far as looked at. */
    public boolean ok() {
        return missing.isEmpty() && wrong.isEmpty() && nonFinite.isEmpty();
    }
}
