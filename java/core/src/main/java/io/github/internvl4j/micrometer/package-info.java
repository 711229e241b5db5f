/** A model's figures for Micrometer, which an application that wants them brings. */
@NullMarked
package io.github.internvl4j.micrometer;

import org.jspecify.annotations.NullMarked;
