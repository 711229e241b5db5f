package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.server.openai.JsonText;

/** One request of a batch file: our own form, or OpenAI's. */
interface BatchLine {
    /** The line as a JSON object, whatever its fields. */
    static JsonNode parse(byte[] line) {
        JsonNode object = JsonText.parse(Utf8.decode(line, "the line"));
        if (!object.isObject()) {
            throw new PromptException("expected a JSON object, found " + JsonText.shown(object));
        }
        return object;
    }

    /** @throws PromptException if a field is not what it must be, or means what cannot be done */
    static BatchLine of(JsonNode object) {
        return OpenAiForm.is(object) ? OpenAiLine.of(object) : OwnLine.of(object);
    }

    /** What is asked, its images read. */
    Prompt prompt(Media media, InputRules rules);

    /** Whether it is asked in thinking mode; what the line leaves out is as the command says. */
    boolean thinking(boolean command);

    /** How it is answered; what the line leaves out is as in {@code base}. */
    GenerationConfig config(GenerationConfig base);
}
