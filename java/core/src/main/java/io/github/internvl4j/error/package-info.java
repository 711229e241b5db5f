/** The exceptions of the library, all below {@link io.github.internvl4j.error.InternVLException}. */
@NullMarked
package io.github.internvl4j.error;

import org.jspecify.annotations.NullMarked;
