/** The command line: one command a file, over the library's public API. */
@NullMarked
package io.github.internvl4j.cli;

import org.jspecify.annotations.NullMarked;
