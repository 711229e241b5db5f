/**
 * Supervised fine-tuning of a checkpoint, as the training script of the original does it,
 * step by step over the dialogs that a meta file lists.
 *
 * <p><b>What is the original's</b>, bit for bit where the template is Hermes-2: the meta file and its lines of JSON, the places of pictures,
 * the token ids and which of them are learnt, what is cut, ignored and refused, pixel values without augmentation, the estimated lengths and
 * the order by length, the loss as a mean over the tokens of a micro-batch and then over micro-batches, AdamW on every trained parameter, the
 * rates, the first of which is 0.
 *
 * <p><b>What is not</b>:
 * <ul>
 *   <li>The original replaces a sample that it cannot use by a random one of its set. Here it is left out, counted and named by
 *       file and line.
 *   <li>With other templates than Hermes-2 what is learnt is what their own functions in the original mean to learn: answers and
 *       the tokens that end them. They were not compared with it token by token.
 *   <li>JPEG augmentation ({@code data_augment}), dropout and drop path are not done. Videos are not read.
 *   <li>The white picture that a text has in the original is not encoded: nothing depends on it.
 *   <li>An epoch's order is drawn anew with the next seed; the original goes on with the generator of the whole process.
 * </ul>
 */
@NullMarked
package io.github.internvl4j.train;

import org.jspecify.annotations.NullMarked;
