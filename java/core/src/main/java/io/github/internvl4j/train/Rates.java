package io.github.internvl4j.train;

/** The learning rate of each step: from 0 up along a line, then down to 0 along half a cosine. */
final class Rates {
    private final long steps;
    private final long warmUp;
    private final double most;

    /**
     * @param steps of the whole training
     * @param warmUpShare of them, rounded up, in which the rate grows
     * @param most the rate at the end of the warm-up
     */
    Rates(long steps, double warmUpShare, double most) {
        this.steps = steps;
        this.warmUp = (long) Math.ceil(steps * warmUpShare);
        this.most = most;
    }

    /** @param step from 0 on; the rate of the first is 0 where there is a warm-up */
    double of(long step) {
        if (step < warmUp) {
            return most * (step / (double) Math.max(1, warmUp));
        }
        double progress = (step - warmUp) / (double) Math.max(1, steps - warmUp);
        return most * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
}
