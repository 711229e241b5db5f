/**
 * Our speed against other engines': the same shapes with random weights, on the same threads, by turns. Each comparison is
 * a {@link Trial} in a JVM of its own, which JMH starts; {@code scripts/bench-peers --help} tells how to choose among them.
 *
 * <p>The peers' libraries are not in benchmarks.jar: Maven's profile {@code peers} puts them beside it.
 */
@NullMarked
package io.github.internvl4j.bench.peers;

import org.jspecify.annotations.NullMarked;
