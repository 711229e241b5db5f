package io.github.internvl4j.server;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.Messages;
import io.github.internvl4j.text.SpecialTokens;
import java.util.Map;

/**
 * The messages of a request. Their images become pixels when its turn comes, so that those of requests that wait take no memory.
 *
 * @param caller as {@link Gate#caller} names it
 * @param fetched images that were fetched for it, by URL
 */
record Conversation(Messages messages, Messages.Placement placement, String caller, Map<String, byte[]> fetched) {
    /** One whose images all stand in it, so far. */
    static Conversation of(Fields body, String caller) {
        Messages messages = Messages.of(body, false);
        if (messages.shown() > Limits.IMAGES) {
            throw body.wrong("messages", "at most " + Limits.IMAGES + " images", body.required("messages"));
        }
        return new Conversation(messages, placement(body), caller, Map.of());
    }

    private static Messages.Placement placement(Fields body) {
        String name = body.text("image_placement");
        return switch (name == null ? "" : name) {
            case "" -> Messages.Placement.USUAL;
            case "first" -> Messages.Placement.FIRST;
            case "inline" -> Messages.Placement.INLINE;
            default -> throw body.wrong("image_placement", "\"first\" or \"inline\"", body.required("image_placement"));
        };
    }

    /** With images that were fetched. */
    Conversation with(Map<String, byte[]> images) {
        return new Conversation(messages, placement, caller, images);
    }

    /** What is asked, its images read. */
    Prompt prompt() {
        return messages.prompt(new RequestImages(fetched), SpecialTokens.LITERAL, placement)
                .cacheSalt(caller);
    }
}
