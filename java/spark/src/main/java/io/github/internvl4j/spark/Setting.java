package io.github.internvl4j.spark;

import java.io.Serializable;
import java.util.function.Supplier;

/** Options as the code that makes them: it travels to the executors, and each makes its own. */
@FunctionalInterface
public interface Setting<T> extends Supplier<T>, Serializable {}
