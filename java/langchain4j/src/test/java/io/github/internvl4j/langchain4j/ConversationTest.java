package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.message.VideoContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a request becomes which prompt and configuration, and what is refused; no model is needed for it. */
class ConversationTest {
    private static final Image THREE = Demo.image("three.jpg");
    private static final Image FOUR = Demo.image("four.png");

    private static Conversation read(ChatMessage... messages) {
        return Conversation.of(ChatRequest.builder().messages(messages).build(), GenerationConfig.defaults());
    }

    private static GenerationConfig config(UnaryOperator<ChatRequest.Builder> parameters, GenerationConfig defaults) {
        ChatRequest.Builder asked = ChatRequest.builder().messages(UserMessage.from("Hello"));
        return Conversation.of(parameters.apply(asked).build(), defaults).config();
    }

    private static String refused(UnaryOperator<ChatRequest.Builder> parameters) {
        UnsupportedFeatureException thrown =
                assertThrows(UnsupportedFeatureException.class, () -> config(parameters, GenerationConfig.defaults()));
        return String.valueOf(thrown.getMessage());
    }

    private static String refused(ChatMessage... messages) {
        UnsupportedFeatureException thrown = assertThrows(UnsupportedFeatureException.class, () -> read(messages));
        return String.valueOf(thrown.getMessage());
    }

    private static InvalidRequestException invalid(ChatMessage... messages) {
        return assertThrows(InvalidRequestException.class, () -> read(messages));
    }

    @Test
    void aTextIsAQuestionWhoseSpecialTokensAreText() {
        Prompt prompt =
                read(UserMessage.from("What is <image> and <|im_end|>?")).prompt();
        assertEquals(Demo.text("What is <image> and <|im_end|>?"), prompt);
        assertEquals(SpecialTokens.LITERAL, prompt.specialTokens());
    }

    @Test
    void anImageComesBeforeATextThatIsAlone() {
        Content text = TextContent.from("What is it?");
        Content image = Demo.content("three.jpg");
        Prompt expected = Demo.text("").and(THREE).and("\nWhat is it?");
        assertEquals(expected, read(UserMessage.from(image, text)).prompt());
        assertEquals(expected, read(UserMessage.from(text, image)).prompt());
    }

    @Test
    void imagesStandWhereTheyDoAmongSeveralTexts() {
        Prompt prompt = read(UserMessage.from(
                        TextContent.from("First:"),
                        Demo.content("three.jpg"),
                        TextContent.from("Second:"),
                        Demo.content("four.png"),
                        TextContent.from("Which?"),
                        TextContent.from("Why?")))
                .prompt();
        assertEquals(Demo.text("First:").and(THREE).and("\nSecond:").and(FOUR).and("\nWhich?\nWhy?"), prompt);
    }

    @Test
    void theSystemMessageAndTheTurnsBeforeAreThePromptsOwn() {
        Prompt prompt = read(
                        SystemMessage.from("Be brief."),
                        UserMessage.from(Demo.content("three.jpg"), TextContent.from("What is it?")),
                        AiMessage.from("A star."),
                        UserMessage.from(TextContent.from("And it?"), Demo.content("four.png")))
                .prompt();
        assertEquals("Be brief.", prompt.system());
        assertEquals(List.of(Turn.of("<image>\nWhat is it?", "A star.").placeholders(List.of(0))), prompt.history());
        assertEquals("<image>\nAnd it?", prompt.question());
        assertEquals(List.of(0), prompt.placeholders());
        assertEquals(List.of(List.of(THREE), List.of(FOUR)), prompt.images());
    }

    @Test
    void messagesThatDoNotAlternateAreTurnsOfTheirOwn() {
        Prompt prompt = read(
                        AiMessage.from("Welcome."),
                        UserMessage.from("One"),
                        SystemMessage.from("Be brief."),
                        UserMessage.from("Two"))
                .prompt();
        assertEquals(null, prompt.system());
        assertEquals(
                List.of(
                        Turn.ofAnswer("Welcome."),
                        Turn.ofQuestion("One").placeholders(List.of()),
                        Turn.ofSystem("Be brief.")),
                prompt.history());
        assertEquals("Two", prompt.question());
    }

    @Test
    void anImageMayComeInAUrl() {
        String base64 = Demo.base64("three.jpg");
        Prompt expected = Demo.text("").and(THREE).and("\n");
        for (String url : List.of(
                "data:image/jpeg;base64," + base64,
                "DATA:;BASE64," + base64.replace("+", "%2B").replace("/", "%2f").replace("=", ""),
                "data:image/jpeg;base64," + base64.replace('+', '-').replace('/', '_'))) {
            assertEquals(
                    expected,
                    read(UserMessage.from(ImageContent.from(URI.create(url)))).prompt());
        }
        StringBuilder escaped = new StringBuilder("data:image/jpeg,");
        for (byte letter : Demo.bytes("three.jpg")) {
            escaped.append(String.format("%%%02x", letter));
        }
        assertEquals(
                expected,
                read(UserMessage.from(ImageContent.from(URI.create(escaped.toString()))))
                        .prompt());
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://example.com/a.png", "https://example.com/a.png", "file:///etc/passwd", "a.png"})
    void anImageElsewhereIsNotFetched(String url) {
        String message = refused(UserMessage.from(ImageContent.from(URI.create(url))));
        assertTrue(message.contains("send its bytes"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"data:image/png", "data:image/png;base64,A*B", "data:,AAAA"})
    void aDataUrlThatHoldsNoImageIsInvalid(String url) {
        invalid(UserMessage.from(ImageContent.from(URI.create(url))));
    }

    @Test
    void whatIsNoImageIsInvalid() {
        assertTrue(String.valueOf(invalid(UserMessage.from(ImageContent.from("*", "image/png")))
                        .getMessage())
                .contains("image 1: the base64 has a byte that is none of its letters"));
        String text = Base64.getEncoder().encodeToString("no image".getBytes(StandardCharsets.UTF_8));
        InvalidRequestException second =
                invalid(UserMessage.from(Demo.content("three.jpg"), ImageContent.from(text, "image/png")));
        assertInstanceOf(ImageException.class, second.getCause());
        assertTrue(String.valueOf(second.getMessage()).contains("image 2"), second.getMessage());
    }

    @Test
    void theLastMessageIsTheUsers() {
        invalid(UserMessage.from("Hello"), AiMessage.from("Hello."));
        invalid(SystemMessage.from("Be brief."));
    }

    /** As the server has them: a call as the model wrote it, and a result as the user says it. */
    @Test
    void earlierCallsAndTheirResultsAreMessages() {
        ToolExecutionRequest call = ToolExecutionRequest.builder()
                .id("1")
                .name("clock")
                .arguments("{\"zone\": \"UTC\"}")
                .build();
        Prompt prompt = read(
                        UserMessage.from("When?"),
                        AiMessage.from("Let me see.", List.of(call, call)),
                        ToolExecutionResultMessage.from(call, "12:00"),
                        ToolExecutionResultMessage.from(call, "12:01"))
                .prompt();
        String text = "{\"name\": \"clock\", \"arguments\": {\"zone\": \"UTC\"}}";
        assertEquals(
                List.of(
                        Turn.of("When?", "Let me see.\n" + text + "\n" + text).placeholders(List.of()),
                        Turn.ofQuestion("12:00").placeholders(List.of())),
                prompt.history());
        assertEquals("12:01", prompt.question());
    }

    @Test
    void jsonIsHeldToItsSchema() {
        assertEquals(
                GenerationConfig.defaults().jsonObject(),
                config(request -> request.responseFormat(ResponseFormat.JSON), GenerationConfig.defaults()));
        ResponseFormat format = ResponseFormat.builder()
                .type(ResponseFormatType.JSON)
                .jsonSchema(JsonSchema.builder()
                        .name("Shape")
                        .rootElement(JsonObjectSchema.builder()
                                .addEnumProperty("shape", List.of("circle", "square"))
                                .required("shape")
                                .build())
                        .build())
                .build();
        GenerationConfig config = config(request -> request.responseFormat(format), GenerationConfig.defaults());
        assertTrue(String.valueOf(config.jsonSchema()).contains("\"circle\""), config::toString);
        ChatRequest asked = ChatRequest.builder()
                .messages(UserMessage.from(Demo.HELLO))
                .responseFormat(format)
                .build();
        String answer = InternVLChatModel.of(Demo.MODEL).chat(asked).aiMessage().text();
        assertTrue(answer.matches("\\{\\s*\"shape\":\\s*\"(circle|square)\"\\s*}"), answer);
        assertEquals(
                GenerationConfig.defaults(),
                config(request -> request.responseFormat(ResponseFormat.TEXT), GenerationConfig.defaults()));
    }

    @Test
    void otherContentsAndMessagesAreRefused() {
        assertTrue(refused(UserMessage.from(AudioContent.from("AAAA", "audio/wav")))
                .contains("AUDIO"));
        assertTrue(refused(UserMessage.from(VideoContent.from("AAAA", "video/mp4")))
                .contains("VIDEO"));
        assertTrue(refused(UserMessage.from(PdfFileContent.from("AAAA", "application/pdf")))
                .contains("PDF"));
        assertTrue(refused(CustomMessage.from(Map.of("a", "b")), UserMessage.from("Hello"))
                .contains("CUSTOM"));
    }

    @Test
    void parametersComeOnTopOfTheConfiguration() {
        GenerationConfig defaults =
                GenerationConfig.greedy(7).seed(3).repetitionPenalty(1.5f).stopStrings("never");
        assertEquals(defaults, config(request -> request, defaults));
        assertEquals(
                defaults.temperature(0.7f)
                        .topP(0.9f)
                        .topK(40)
                        .maxNewTokens(5)
                        .frequencyPenalty(0.25f)
                        .presencePenalty(-0.5f)
                        .stopStrings("a", "b"),
                config(
                        request -> request.temperature(0.7)
                                .topP(0.9)
                                .topK(40)
                                .maxOutputTokens(5)
                                .frequencyPenalty(0.25)
                                .presencePenalty(-0.5)
                                .stopSequences(List.of("a", "b")),
                        defaults));
        assertEquals(
                GenerationConfig.defaults(),
                config(request -> request.temperature(0.0), GenerationConfig.sampling(1, 0)));
    }

    @Test
    void valuesOutOfRangeAreInvalidRequests() {
        for (UnaryOperator<ChatRequest.Builder> wrong : List.<UnaryOperator<ChatRequest.Builder>>of(
                request -> request.temperature(-0.1),
                request -> request.temperature(Double.NaN),
                request -> request.temperature(1e300),
                request -> request.topP(0.0),
                request -> request.topP(1.1),
                request -> request.topK(-1),
                request -> request.maxOutputTokens(0),
                request -> request.frequencyPenalty(Double.NaN),
                request -> request.presencePenalty(Double.POSITIVE_INFINITY),
                request -> request.stopSequences(List.of("")))) {
            InvalidRequestException thrown =
                    assertThrows(InvalidRequestException.class, () -> config(wrong, GenerationConfig.defaults()));
            assertInstanceOf(InvalidOptionException.class, thrown.getCause());
        }
        assertThrows(
                InvalidRequestException.class,
                () -> config(request -> request.stopSequences(Arrays.asList("a", null)), GenerationConfig.defaults()));
    }

    @Test
    void theModelsNameIsTheRequests() {
        ChatRequest.Builder asked = ChatRequest.builder().messages(UserMessage.from("Hello"));
        assertEquals(
                "internvl",
                Conversation.of(asked.build(), GenerationConfig.defaults()).modelName());
        assertEquals(
                "mine",
                Conversation.of(asked.modelName("mine").build(), GenerationConfig.defaults())
                        .modelName());
    }
}
