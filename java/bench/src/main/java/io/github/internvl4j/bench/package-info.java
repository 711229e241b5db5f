/**
 * JMH benchmarks: the model's phases on shapes of interest with random weights, single operations, and what Java itself
 * does before and after. {@code scripts/bench -h} tells how to choose among them.
 */
@NullMarked
package io.github.internvl4j.bench;

import org.jspecify.annotations.NullMarked;
