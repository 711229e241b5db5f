/**
 * Getting a checkpoint: {@link io.github.internvl4j.hub.Hub} downloads one from a hub into the cache that the Python tools of
 * Hugging Face use, too, and finds those that are there. Nothing else in the library uses the network.
 */
@NullMarked
package io.github.internvl4j.hub;

import org.jspecify.annotations.NullMarked;
