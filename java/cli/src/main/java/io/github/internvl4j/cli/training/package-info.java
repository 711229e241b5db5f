/** What {@code train} leaves beside its result: a log of steps, and the curve of the loss. */
@NullMarked
package io.github.internvl4j.cli.training;

import org.jspecify.annotations.NullMarked;
