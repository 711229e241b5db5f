package io.github.internvl4j;

import io.github.internvl4j.text.ThinkingStream;

/**
 * The thinking mode of InternVL3.5: asked with {@link #SYSTEM_MESSAGE}, the model thinks between {@link ThinkingStream#BEGIN} and
 * {@link ThinkingStream#END} before it answers, and {@link Reply#thinking} has that apart from {@link Reply#text}. Switched on with
 * {@link Prompt#thinking(boolean)} or {@link ChatOptions#thinking(boolean)}; to be drawn as {@link GenerationConfig#thinking()} says. Other
 * models of the family were not made for it.
 *
 * <p>Marks are looked for in the text, whether they are tokens of their own or not. In the history of the next turn stands
 * {@link Reply#response}, the whole, as the original's {@code chat} keeps it.
 */
public final class Thinking {
    /** The published R1_SYSTEM_PROMPT. */
    public static final String SYSTEM_MESSAGE = """
            You are an AI assistant that rigorously follows this response protocol:

            1. First, conduct a detailed analysis of the question. Consider different angles, potential solutions, and \
            reason through the problem step-by-step. Enclose this entire thinking process within <think> and </think> tags.

            2. After the thinking section, provide a clear, concise, and direct answer to the user's question. Separate the \
            answer from the think section with a newline.

            Ensure that the thinking process is thorough but remains focused on the query. The final answer should be \
            standalone and not reference the thinking section.""";

    private Thinking() {}
}
