package io.github.internvl4j.train;

/** Hears of a training as it goes, on the thread that runs it. What a method throws ends the run; the training stays as it is then. */
public interface TrainListener {
    /** A step is done. */
    default void onStep(TrainStep step) {}

    /** A line is not learnt. Each is told once. */
    default void onProblem(DataProblem problem) {}
}
