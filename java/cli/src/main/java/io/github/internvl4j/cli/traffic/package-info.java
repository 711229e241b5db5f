/** Requests that arrive as those of many people do, and how long they take. */
@NullMarked
package io.github.internvl4j.cli.traffic;

import org.jspecify.annotations.NullMarked;
