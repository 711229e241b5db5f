/**
 * The native runtime's handles as Java objects: statuses become exceptions, pointers are freed once, and closing waits
 * for who is still inside. Not part of the API; it may change at any time.
 */
@NullMarked
package io.github.internvl4j.runtime;

import org.jspecify.annotations.NullMarked;
