/**
 * Images: reading the common formats to 8-bit RGB exactly as Pillow does, Pillow's bicubic resize, and the
 * normalization that makes a model's pixel values.
 */
@NullMarked
package io.github.internvl4j.image;

import org.jspecify.annotations.NullMarked;
