package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chat template of transformers-native checkpoints, recognised by its text. */
class ChatTemplateTest {
    @TempDir
    private Path folder;

    private String published;

    @BeforeEach
    void read() throws IOException {
        published = Files.readString(TextTestData.root().resolve("qwen2-hf/chat_template.jinja"));
    }

    private void recognised(String file, String content) throws IOException {
        Path path = Files.writeString(folder.resolve(file), content);
        assertSame(ConversationTemplates.INTERNVL_HF, ConversationTemplates.ofChatTemplate(folder), content);
        Files.delete(path);
    }

    @Test
    void asPublishedAndInOtherSpellings() throws IOException {
        recognised("chat_template.jinja", published);
        recognised("chat_template.jinja", published + "\n");
        recognised("chat_template.jinja", published.replace("<IMG_CONTEXT>", "<image>"));
        recognised("chat_template.jinja", published.replace("\n", "\\n"));
        recognised("chat_template.jinja", published.replace("\n", "\r\n"));
        recognised("chat_template.jinja", published.replace('\'', '"'));
        // Blocks are trimmed: what stands on lines of their own, indented, is the same.
        recognised(
                "chat_template.jinja",
                published.replace("{% for", "\n  {%- for").replace("%}{%", "%}\n    {%"));
        recognised("chat_template.jinja", "{# of the family #}\n" + published);
    }

    @Test
    void inTheOlderFiles() throws IOException {
        String text = TextTestData.JSON.writeValueAsString(published);
        recognised("chat_template.json", "{\"chat_template\": " + text + "}");
        recognised("tokenizer_config.json", "{\"chat_template\": " + text + "}");
        recognised(
                "tokenizer_config.json",
                "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"x\"},"
                        + " {\"name\": \"default\", \"template\": " + text + "}]}");
    }

    @Test
    void theTextBeforeTheOthers() throws IOException {
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"another\"}");
        recognised("chat_template.jinja", published);
    }

    @Test
    void anotherIsShown() throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ bos_token }}" + published);
        String message = assertThrows(
                        UnsupportedModelException.class, () -> ConversationTemplates.ofChatTemplate(folder))
                .getMessage();
        assertTrue(
                message.contains("chat_template.jinja")
                        && message.contains("{{ bos_token }}{% for message in messages %}")
                        && message.contains("--template NAME")
                        && message.contains(", internvl-hf"),
                message);
        assertTrue(message.length() < 1000, message);
    }

    @Test
    void noneIsAnError() {
        String message = assertThrows(CheckpointException.class, () -> ConversationTemplates.ofChatTemplate(folder))
                .getMessage();
        assertTrue(message.contains("chat_template.jinja") && message.contains("--template"), message);
    }

    @Test
    void whatIsTextStays() {
        assertNotEquals(JinjaText.normalized("{{ a }} {{ b }}"), JinjaText.normalized("{{ a }}{{ b }}"));
        assertNotEquals(
                JinjaText.normalized("{% if a %}\n  {{ a }}{% endif %}"),
                JinjaText.normalized("{% if a %}{{ a }}{% endif %}"));
        assertNotEquals(JinjaText.normalized("{{ 'a b' }}"), JinjaText.normalized("{{ 'ab' }}"));
        assertEquals("{{'a b'}}", JinjaText.normalized("{{- \"a b\" -}}\n "));
        for (String broken : new String[] {"{{", "{%", "{#", "{{ '", "{% -", "{{ a -"}) {
            JinjaText.normalized(broken); // ends
        }
    }
}
