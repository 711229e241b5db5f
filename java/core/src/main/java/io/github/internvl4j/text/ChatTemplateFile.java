package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.host.CheckpointFile;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The chat template of a transformers-native checkpoint, recognised by its text: there is no Jinja engine here. It is in
 * chat_template.jinja, else in chat_template.json, else in tokenizer_config.json, as transformers looks for it.
 */
final class ChatTemplateFile {
    /** As the family's converter writes it; %s is what an image is there, in the first uploads {@code <image>}. */
    private static final String PUBLISHED = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}"
            + "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
            + "{% for content in message['content'] %}{% if content['type'] == 'image' %}{{ '%s\n' }}"
            + "{% elif content['type'] == 'video' %}{{ '<video>\n' }}{% elif content['type'] == 'text' %}"
            + "{{ content['text'] }}{% endif %}{% endfor %}{% endif %}{{'<|im_end|>\n'}}{% endfor %}"
            + "{% if add_generation_prompt %}{{'<|im_start|>assistant\n' }}{% endif %}";

    private static final List<String> KNOWN =
            List.of(ConversationTemplate.IMAGE_CONTEXT, ConversationTemplate.IMAGE).stream()
                    .map(image -> JinjaText.normalized(PUBLISHED.replace("%s", image)))
                    .toList();

    /** Of a template that is not known: what of it is shown. */
    private static final int SHOWN = 300;

    private final Path directory;

    private ChatTemplateFile(Path directory) {
        this.directory = directory;
    }

    /**
     * @param directory a transformers-native checkpoint
     * @return what its chat template gives
     * @throws CheckpointException if there is none, or its file is malformed
     * @throws UnsupportedModelException if it is another than the published one
     */
    static ConversationTemplate recognised(Path directory) {
        return new ChatTemplateFile(directory).recognised();
    }

    private ConversationTemplate recognised() {
        Path file = directory.resolve("chat_template.jinja");
        String text = Files.exists(file) ? read(file) : null;
        for (String other : List.of("chat_template.json", "tokenizer_config.json")) {
            if (text == null) {
                file = directory.resolve(other);
                text = field(JsonFile.read(file));
            }
        }
        if (text == null) {
            throw new CheckpointException(
                    directory + ": there is no chat template, expected chat_template.jinja, or chat_template in"
                            + " chat_template.json or tokenizer_config.json; " + advice());
        }
        if (!KNOWN.contains(JinjaText.normalized(text))) {
            String shown = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
            throw new UnsupportedModelException(file + ": the chat template is not the one published with this family; "
                    + advice() + ". It begins: " + shown.replace("\n", "\\n"));
        }
        return ConversationTemplates.INTERNVL_HF;
    }

    private static String advice() {
        return "name one that gives the same prompts with --template NAME (LoadOptions.template): "
                + String.join(", ", ConversationTemplates.names());
    }

    private static String read(Path file) {
        try {
            return new String(CheckpointFile.read(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + FileProblems.reason(e), e);
        }
    }

    /** The template, of several the one for chats; null if the file has none. */
    private static @Nullable String field(JsonFile file) {
        JsonNode value = file.root().path("chat_template");
        if (value.isArray()) {
            for (JsonNode named : value) {
                if (named.path("name").asText().equals("default")) {
                    value = named.path("template");
                }
            }
        }
        if (JsonFile.absent(value)) {
            return null;
        }
        if (!value.isTextual()) {
            throw file.malformed("chat_template", "a string", value);
        }
        return value.textValue();
    }
}
