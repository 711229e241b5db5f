/**
 * From text to token ids and back: the tokenizer of a published checkpoint, the conversation template, and the
 * streaming of an answer.
 *
 * <p>The ground truth is what Python does with the same folder: {@code AutoTokenizer.from_pretrained(path,
 * use_fast=False)} of transformers 4.57.6 for checkpoints with code of their own, the fast tokenizer for those that
 * transformers itself knows, and the {@code chat} method and {@code conversation.py} of the InternVL code. Where a rule
 * looks odd, it is theirs.
 *
 * <ul>
 *   <li>{@link io.github.internvl4j.text.Tokenizer} encodes and decodes. Slow tokenizers share one class, what their
 *       classes add are its rules (Llama, InternLM2, Qwen2); the fast one is another. Below them lie a
 *       a model of SentencePiece or a byte-level BPE.
 *   <li>{@link io.github.internvl4j.text.ConversationTemplate} lays out a conversation (those known are in
 *       {@link io.github.internvl4j.text.ConversationTemplates}), {@link io.github.internvl4j.text.PromptEncoder} turns that into ids.
 *   <li>{@link io.github.internvl4j.text.AnswerStream} turns the ids of an answer into text while they come, from
 *       {@link io.github.internvl4j.text.StreamDecoder} and {@link io.github.internvl4j.text.StopStrings}.
 * </ul>
 */
@NullMarked
package io.github.internvl4j.text;

import org.jspecify.annotations.NullMarked;
