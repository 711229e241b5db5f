/**
 * JMH benchmarks of single operations on a GPU: ours, through the same C API as everything else, beside cuBLAS' and cuDNN's
 * through the JavaCPP Presets for CUDA. {@link io.github.internvl4j.bench.gpu.Report} puts them into one table.
 */
@NullMarked
package io.github.internvl4j.bench.gpu;

import org.jspecify.annotations.NullMarked;
