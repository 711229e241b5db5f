package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a request in OpenAI's form: a system message or none, then the user and the assistant by turns, the user
 * last.
 *
 * @param system null for none
 * @param questions the user's, the one to answer last
 * @param answers the assistant's, one fewer
 */
record OpenAiMessages(@Nullable String system, List<Question> questions, List<String> answers) {
    private static final List<String> FIELDS = List.of("role", "content", "name");
    private static final String CONTENT = "a string or an array of parts";

    /** The user's message, in parts. */
    record Question(List<Part> parts) {
        private boolean marks() {
            return texts().anyMatch(part -> part.text.contains(ConversationTemplate.IMAGE));
        }

        private String text() {
            return String.join("\n", texts().map(Part::text).toList());
        }

        private List<Part> inOrder() {
            if (texts().count() > 1) {
                return parts;
            }
            return Stream.concat(parts.stream().filter(part -> part.kind != Kind.TEXT), texts()).toList();
        }

        private Stream<Part> texts() {
            return parts.stream().filter(part -> part.kind == Kind.TEXT);
        }
    }

    private enum Kind {
        TEXT,
        IMAGE,
        VIDEO
    }

    /**
     * A part of a message.
     *
     * @param text the text itself, or where the image or the video comes from
     */
    record Part(Kind kind, String text) {}

    static OpenAiMessages of(Fields body) {
        body.required("messages");
        List<Fields.Entry> entries =
                Objects.requireNonNull(body.list("messages", "an array of messages", entry -> entry));
        String system = null;
        List<Question> questions = new ArrayList<>();
        List<String> answers = new ArrayList<>();
        for (Fields.Entry entry : entries) {
            Fields message = Fields.of(entry.value(), entry.path());
            message.only(FIELDS);
            String role = message.requiredText("role");
            boolean asks = questions.size() == answers.size();
            if ((role.equals("system") || role.equals("developer")) && system == null && questions.isEmpty()) {
                system = text(message);
            } else if (role.equals("user") && asks) {
                questions.add(new Question(parts(message)));
            } else if (role.equals("assistant") && !asks) {
                answers.add(text(message));
            } else {
                throw message.wrong("role", expected(asks, system == null && questions.isEmpty()), message.required("role"));
            }
        }
        if (questions.size() == answers.size()) {
            throw new PromptException(
                    "the field " + body.path("messages") + " ends without a question; expected a last message of the user");
        }
        return new OpenAiMessages(system, questions, answers);
    }

    private static String expected(boolean asks, boolean first) {
        return first ? "\"system\" or \"user\"" : asks ? "\"user\"" : "\"assistant\" (user and assistant speak by turns)";
    }

    /** Parts that must be texts, one below the other. */
    private static String text(Fields message) {
        List<Part> parts = parts(message);
        if (parts.stream().anyMatch(part -> part.kind != Kind.TEXT)) {
            throw new PromptException("field " + message.path("content") + ": only the user's messages can show images");
        }
        return String.join("\n", parts.stream().map(Part::text).toList());
    }

    private static List<Part> parts(Fields message) {
        JsonNode content = message.required("content");
        if (content.isTextual()) {
            return List.of(new Part(Kind.TEXT, content.textValue()));
        }
        return Objects.requireNonNull(message.list("content", CONTENT, OpenAiMessages::part));
    }

    private static Part part(Fields.Entry entry) {
        Fields part = Fields.of(entry.value(), entry.path());
        String type = part.requiredText("type");
        return switch (type) {
            case "text" -> {
                part.only(List.of("type", "text"));
                yield new Part(Kind.TEXT, part.requiredText("text"));
            }
            case "image_url" -> new Part(Kind.IMAGE, url(part, type));
            case "video_url" -> new Part(Kind.VIDEO, url(part, type));
            default -> throw part.wrong("type", "\"text\", \"image_url\" or \"video_url\"", part.required("type"));
        };
    }

    private static String url(Fields part, String name) {
        part.only(List.of("type", name));
        JsonNode value = part.required(name);
        if (value.isTextual()) {
            return value.textValue();
        }
        Fields source = Fields.of(value, part.path(name));
        source.only(List.of("url", "detail"));
        JsonNode detail = source.get("detail");
        // How finely an image is looked at is the command's --max-tiles to say, or the checkpoint.
        if (detail != null && !List.of("auto", "low", "high").contains(detail.asText())) {
            throw source.wrong("detail", "\"auto\", \"low\" or \"high\"", detail);
        }
        return source.requiredText("url");
    }

    /**
     * What is asked, its images and videos read.
     *
     * @param mode what {@code <image>} in a message is, too: in {@link SpecialTokens#LITERAL} text, else an image's placeholder
     */
    Prompt prompt(Media media, SpecialTokens mode) {
        List<List<Image>> images = new ArrayList<>();
        List<Integer> tileLimits = new ArrayList<>();
        List<Turn> turns = new ArrayList<>();
        for (Question question : questions) {
            Prompt prompt = laidOut(question, media);
            tileLimits.addAll(prompt.tileLimits());
            images.addAll(prompt.images());
            tileLimits.addAll(Collections.nCopies(images.size() - tileLimits.size(), 0));
            String answer = turns.size() < answers.size() ? answers.get(turns.size()) : "";
            turns.add(asked(question, prompt, mode, answer));
        }
        Turn last = turns.remove(answers.size());
        return Prompt.of(last.question())
                .system(system)
                .history(turns)
                .images(images)
                .specialTokens(mode)
                .tileLimits(tileLimits)
                .placeholders(last.placeholders());
    }

    /** A question whose placeholders are told. */
    private static Turn asked(Question question, Prompt laidOut, SpecialTokens mode, String answer) {
        boolean marks = mode != SpecialTokens.LITERAL && question.marks();
        Turn told = marks ? Turn.of(question.text(), answer) : Turn.of(laidOut.question(), answer).placeholders(laidOut.placeholders());
        return told.laidOut(laidOut.images().size());
    }

    /** A message as one text: images and videos before a text that is alone, as the model knows it, else where they stand. */
    private static Prompt laidOut(Question question, Media media) {
        Prompt prompt = Prompt.of("").placeholders(List.of());
        Kind last = Kind.IMAGE;
        for (Part part : question.inOrder()) {
            prompt = switch (part.kind) {
                case TEXT -> prompt.and(last == Kind.TEXT ? "\n" + part.text : part.text);
                case IMAGE -> prompt.and(media.image(part.text)).and("\n");
                case VIDEO -> prompt.andVideo(new Video(media, part.text, Video.DEFAULT_FRAMES, null, null).sample());
            };
            last = part.kind;
        }
        return prompt;
    }
}
