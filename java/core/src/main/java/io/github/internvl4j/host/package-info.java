/**
 * What the machine gives, and how it says that it does not: files, threads, descriptors, native libraries. Not part of the
 * API; it may change at any time.
 */
@NullMarked
package io.github.internvl4j.host;

import org.jspecify.annotations.NullMarked;
