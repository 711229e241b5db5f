/** Questions about the images of a Dataset, answered where its rows are. */
@NullMarked
package io.github.internvl4j.spark;

import org.jspecify.annotations.NullMarked;
