/**
 * The benchmarks of the model card: their data sets as they are published, the questions, and the scores of the original scripts.
 * {@link io.github.internvl4j.evaluate.Benchmark} is what a data set of one's own implements.
 */
@NullMarked
package io.github.internvl4j.evaluate;

import org.jspecify.annotations.NullMarked;
