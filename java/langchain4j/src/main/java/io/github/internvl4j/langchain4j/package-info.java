/** LangChain4j's chat models over an {@link io.github.internvl4j.InternVL} in the same process. */
@NullMarked
package io.github.internvl4j.langchain4j;

import org.jspecify.annotations.NullMarked;
