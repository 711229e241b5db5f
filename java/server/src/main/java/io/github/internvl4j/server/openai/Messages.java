package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.PromptBuilder;
import io.github.internvl4j.Tools;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The messages of a request in OpenAI's form: of the system, the user and the assistant in any order, the user last. */
public final class Messages {
    private static final List<String> FIELDS = List.of("role", "content", "name");
    private static final String CONTENT = "a string or an array of parts";

    private final List<Message> messages;

    private Messages(List<Message> messages) {
        this.messages = messages;
    }

    /** Who speaks. */
    private enum Role {
        SYSTEM,
        USER,
        ASSISTANT
    }

    private enum Kind {
        TEXT,
        IMAGE,
        VIDEO
    }

    /** Where the images of a message go. */
    public enum Placement {
        /** Before a text that is alone, as the model knows it, else where they stand. */
        USUAL,
        /** Before all texts. */
        FIRST,
        /** Where they stand. */
        INLINE
    }

    /**
     * A part of a message.
     *
     * @param text the text itself, or where the image or the video comes from
     * @param path where it stands in the request
     */
    private record Part(Kind kind, String text, String path) {}

    /** What one of them says, in parts. */
    private record Message(Role role, List<Part> parts) {
        private boolean marks() {
            return texts().anyMatch(part -> part.text.contains(ConversationTemplate.IMAGE));
        }

        private String text() {
            return String.join("\n", texts().map(Part::text).toList());
        }

        private List<Part> inOrder(Placement placement) {
            return switch (placement) {
                case USUAL -> PromptBuilder.usualOrder(parts, part -> part.kind == Kind.TEXT);
                case FIRST ->
                    Stream.concat(parts.stream().filter(part -> part.kind != Kind.TEXT), texts())
                            .toList();
                case INLINE -> parts;
            };
        }

        private Stream<Part> texts() {
            return parts.stream().filter(part -> part.kind == Kind.TEXT);
        }
    }

    /**
     * Reads them.
     *
     * @param strict whether a field that is not known is refused
     * @throws FieldException naming the field that is not what it must be
     */
    public static Messages of(Fields body, boolean strict) {
        body.required("messages");
        List<Message> all = Objects.requireNonNull(body.list(
                "messages", "an array of messages", entry -> message(Fields.of(entry.value(), entry.path()), strict)));
        if (all.isEmpty() || all.get(all.size() - 1).role != Role.USER) {
            throw new FieldException(
                    body.path("messages"),
                    "the field " + body.path("messages")
                            + " ends without a question; expected a last message of the user");
        }
        return new Messages(all);
    }

    private static Message message(Fields message, boolean strict) {
        if (strict) {
            message.only(FIELDS);
        }
        JsonNode calls = message.get("tool_calls");
        if (strict && calls != null && !calls.isEmpty()) {
            throw message.wrong("tool_calls", "none, which is all that can be done", calls);
        }
        String name = message.requiredText("role");
        Role role =
                switch (name) {
                    case "system", "developer" -> Role.SYSTEM;
                    case "user" -> Role.USER;
                    case "assistant" -> Role.ASSISTANT;
                    case "tool" -> strict ? unknown(message) : Role.USER; // what a tool said, to one who knows no tools
                    default -> unknown(message);
                };
        List<Part> parts = parts(message, role, strict);
        if (role != Role.USER && parts.stream().anyMatch(part -> part.kind != Kind.TEXT)) {
            throw new FieldException(
                    message.path("content"),
                    "field " + message.path("content") + ": only the user's messages can show images");
        }
        return new Message(role, calls == null ? parts : withCalls(message, parts));
    }

    private static Role unknown(Fields message) {
        throw message.wrong("role", "\"system\", \"user\" or \"assistant\"", message.required("role"));
    }

    /** Calls are told to the model as it wrote them. */
    private static List<Part> withCalls(Fields message, List<Part> parts) {
        List<Part> calls = Objects.requireNonNull(message.list("tool_calls", "an array of calls", entry -> {
            Fields call = Fields.of(entry.value(), entry.path());
            Fields function = Fields.of(call.required("function"), call.path("function"));
            Tools.Call made = new Tools.Call(function.requiredText("name"), function.requiredText("arguments"));
            return new Part(Kind.TEXT, made.text(), entry.path());
        }));
        return Stream.concat(parts.stream(), calls.stream()).toList();
    }

    private static List<Part> parts(Fields message, Role role, boolean strict) {
        JsonNode content = role == Role.ASSISTANT && !strict ? message.get("content") : message.required("content");
        if (content == null) {
            return List.of(); // an assistant that only called tools, say
        }
        if (content.isTextual()) {
            return List.of(new Part(Kind.TEXT, content.textValue(), message.path("content")));
        }
        return Objects.requireNonNull(message.list("content", CONTENT, entry -> part(entry, strict)));
    }

    private static Part part(Fields.Entry entry, boolean strict) {
        Fields part = Fields.of(entry.value(), entry.path());
        String type = part.requiredText("type");
        return switch (type) {
            case "text" -> {
                if (strict) {
                    part.only(List.of("type", "text"));
                }
                yield new Part(Kind.TEXT, part.requiredText("text"), entry.path());
            }
            case "image_url" -> new Part(Kind.IMAGE, url(part, type, strict), entry.path());
            case "video_url" -> new Part(Kind.VIDEO, url(part, type, strict), entry.path());
            default -> throw part.wrong("type", "\"text\", \"image_url\" or \"video_url\"", part.required("type"));
        };
    }

    private static String url(Fields part, String name, boolean strict) {
        if (strict) {
            part.only(List.of("type", name));
        }
        JsonNode value = part.required(name);
        if (value.isTextual()) {
            return value.textValue();
        }
        Fields source = Fields.of(value, part.path(name));
        if (strict) {
            source.only(List.of("url", "detail"));
        }
        JsonNode detail = source.get("detail");
        // How finely an image is looked at is the command's --max-tiles to say, or the checkpoint.
        if (detail != null && !List.of("auto", "low", "high").contains(detail.asText())) {
            throw source.wrong("detail", "\"auto\", \"low\" or \"high\"", detail);
        }
        return source.requiredText("url");
    }

    /** How many images and videos they show. */
    public long shown() {
        return messages.stream()
                .flatMap(message -> message.parts.stream())
                .filter(part -> part.kind != Kind.TEXT)
                .count();
    }

    /** Where their images come from, each with where that first stands in the request. */
    public Map<String, String> images() {
        Map<String, String> urls = new LinkedHashMap<>();
        messages.stream()
                .flatMap(message -> message.parts.stream())
                .filter(part -> part.kind == Kind.IMAGE)
                .forEach(part -> urls.putIfAbsent(part.text, part.path));
        return urls;
    }

    /**
     * What is asked, its images and videos read.
     *
     * @param mode what {@code <image>} in a message is, too: in {@link SpecialTokens#LITERAL} text, else an image's placeholder
     */
    public Prompt prompt(MediaSource media, SpecialTokens mode, Placement placement) {
        PromptBuilder built = PromptBuilder.of(mode);
        for (Message message : messages) {
            switch (message.role) {
                case SYSTEM -> built.system(message.text());
                case ASSISTANT -> built.assistant(message.text());
                case USER -> built.user(asked(message, laidOut(message, media, placement), mode));
            }
        }
        return built.prompt();
    }

    /** With the images where the text marks them, if it does. */
    private static Prompt asked(Message question, Prompt laidOut, SpecialTokens mode) {
        return mode != SpecialTokens.LITERAL && question.marks()
                ? Prompt.of(question.text()).images(laidOut.images()).tileLimits(laidOut.tileLimits())
                : laidOut;
    }

    /** A message as one text. */
    private static Prompt laidOut(Message question, MediaSource media, Placement placement) {
        Prompt prompt = Prompt.of("").placeholders(List.of());
        Kind last = Kind.IMAGE;
        for (Part part : question.inOrder(placement)) {
            prompt = switch (part.kind) {
                case TEXT -> prompt.and(last == Kind.TEXT ? "\n" + part.text : part.text);
                case IMAGE -> prompt.and(media.image(part.text, part.path)).and("\n");
                case VIDEO -> prompt.andVideo(media.frames(part.text, part.path));
            };
            last = part.kind;
        }
        return prompt;
    }
}
