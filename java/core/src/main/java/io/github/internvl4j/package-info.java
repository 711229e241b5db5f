/**
 * InternVL4J: InternVL-Chat-V1-2 from Java.
 *
 * <p>{@link io.github.internvl4j.InternVL} is the model, {@link io.github.internvl4j.Chat} a conversation with it.
 * Tokenization, images, videos and tensors have packages of their own below this one and can be used without a model.
 */
@NullMarked
package io.github.internvl4j;

import org.jspecify.annotations.NullMarked;
