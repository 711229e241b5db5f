package io.github.internvl4j.runtime;

/**
 * How much a model computes and moves; a multiply-add counts as two operations.
 *
 * @param visionOperations one image through the vision tower and the projector
 * @param operationsPerToken a token through the decoder's layers up to its last keys, without attention
 * @param attentionOperationsPerKey of a token, for each key it sees
 * @param headOperations on top of it for a token's logits: the rest of the last layer, and the head
 * @param weightBytes read for a decoded token: layers and head
 * @param kvBytesPerKey read for a decoded token, for each key it sees
 */
public record Work(
        double visionOperations,
        double operationsPerToken,
        double attentionOperationsPerKey,
        double headOperations,
        double weightBytes,
        double kvBytesPerKey) {
    /** Of a prompt of this many tokens, with the logits of its last. */
    public double prefillOperations(long tokens) {
        double keys = tokens * (tokens + 1) / 2.0;
        return tokens * operationsPerToken + keys * attentionOperationsPerKey + headOperations;
    }

    /** That decoding a token behind this many others must read. */
    public double decodeBytes(long past) {
        return weightBytes + past * kvBytesPerKey;
    }
}
