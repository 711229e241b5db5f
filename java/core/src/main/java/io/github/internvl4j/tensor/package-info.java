/**
 * Tensors as the library hands them out and takes them: f32 over direct memory, their safetensors files, and the
 * comparison of two such files.
 */
@NullMarked
package io.github.internvl4j.tensor;

import org.jspecify.annotations.NullMarked;
