package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.text.ConversationTemplate.Wrapping;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The conversation templates that are known, by the names that {@code conversation.py} and config.json have for them. */
public final class ConversationTemplates {
    private static final String CHAT_SYSTEM = "你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。";
    private static final String CHAT_2_5_SYSTEM = "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。";

    /** Of InternVL-Chat-V1-2 and V1-2-Plus, InternVL2-1B and -40B. */
    public static final ConversationTemplate HERMES_2 = chatMl("Hermes-2", CHAT_SYSTEM, "");

    /** Of V1-5 and InternVL2 with InternLM2, and InternVL2-Llama3-76B. */
    public static final ConversationTemplate INTERNLM2_CHAT = chatMl("internlm2-chat", CHAT_SYSTEM, "");

    /** Of Mini-InternVL-4B-V1-5 and InternVL2-4B. */
    public static final ConversationTemplate PHI3_CHAT = new ConversationTemplate(
            "phi3-chat",
            CHAT_SYSTEM,
            Wrapping.of("<|system|>\n", "<|end|>"),
            alone("<|user|>\n", "<|end|>"),
            alone("<|assistant|>\n", "<|end|>"),
            "<|assistant|>\n",
            "<|end|>",
            List.of("<|user|>"));

    /** Of InternVL2.5, 3 and 3.5. */
    public static final ConversationTemplate INTERNVL2_5 = chatMl("internvl2_5", CHAT_2_5_SYSTEM, "\n");

    /** Of InternVL-Chat-V1-1: roles are plain text, no tokens, and without a message they lack the space. */
    public static final ConversationTemplate INTERNVL_ZH = new ConversationTemplate(
            "internvl_zh",
            "",
            Wrapping.of("", " "),
            new Wrapping("<human>: ", " ", "<human>:"),
            new Wrapping("<bot>: ", "</s>", "<bot>:"),
            "<bot>:",
            "</s>",
            List.of());

    /** What the chat template published with transformers-native checkpoints gives: no system message unless one is given. */
    public static final ConversationTemplate INTERNVL_HF = new ConversationTemplate(
            "internvl-hf",
            null,
            Wrapping.of("<|im_start|>system\n", "<|im_end|>\n"),
            Wrapping.of("<|im_start|>user\n", "<|im_end|>\n"),
            Wrapping.of("<|im_start|>assistant\n", "<|im_end|>\n"),
            "<|im_start|>assistant\n",
            "<|im_end|>",
            List.of("<|im_start|>"));

    private static final List<ConversationTemplate> ALL =
            List.of(HERMES_2, INTERNLM2_CHAT, PHI3_CHAT, INTERNVL2_5, INTERNVL_ZH, INTERNVL_HF);

    private ConversationTemplates() {}

    /**
     * The roles of ChatML as conversation.py has them.
     *
     * @param behind the token that ends a message
     */
    private static ConversationTemplate chatMl(String name, String defaultSystemMessage, String behind) {
        String end = "<|im_end|>" + behind;
        return new ConversationTemplate(
                name,
                defaultSystemMessage,
                Wrapping.of("<|im_start|>system\n", end),
                alone("<|im_start|>user\n", end),
                alone("<|im_start|>assistant\n", end),
                "<|im_start|>assistant\n",
                "<|im_end|>",
                List.of("<|im_start|>"));
    }

    /** In conversation.py an empty message is its role alone. */
    private static Wrapping alone(String role, String end) {
        return new Wrapping(role, end, role);
    }

    /** @return the names that {@link #forName} takes */
    public static List<String> names() {
        return ALL.stream().map(ConversationTemplate::name).toList();
    }

    /**
     * @param name of the template, as {@code template} in config.json has it
     * @return the template of that name
     * @throws UnsupportedModelException if there is none; the message has all names
     */
    public static ConversationTemplate forName(String name) {
        Objects.requireNonNull(name, "name");
        return ALL.stream()
                .filter(template -> template.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UnsupportedModelException(
                        "there is no conversation template \"" + name + "\" (template in config.json,"
                                + " or the one that was asked for); implemented are " + String.join(", ", names())));
    }

    /**
     * What the chat template in a transformers-native checkpoint's folder gives. It is recognised by its text, whatever its line
     * ends and indentation.
     *
     * @param directory the checkpoint's folder
     * @return the template
     * @throws CheckpointException if there is none, or its file is malformed
     * @throws UnsupportedModelException if it is another than the published one; the message shows its beginning
     */
    public static ConversationTemplate ofChatTemplate(Path directory) {
        Objects.requireNonNull(directory, "directory");
        return ChatTemplateFile.recognised(directory);
    }
}
