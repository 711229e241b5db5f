package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.SchemaException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Answers that call tools. */
class ToolCallsTest {
    private static final ToolSpecification PAINT = ToolSpecification.builder()
            .name("paint")
            .parameters(JsonObjectSchema.builder()
                    .addEnumProperty("colour", List.of("red", "blue"))
                    .addIntegerProperty("coats")
                    .required("colour", "coats")
                    .build())
            .build();
    private static final ToolSpecification STOP =
            ToolSpecification.builder().name("stop").build();

    private static ChatRequest.Builder asked(ToolSpecification... tools) {
        return ChatRequest.builder()
                .messages(UserMessage.from("Paint it."))
                .toolSpecifications(tools)
                .toolChoice(ToolChoice.REQUIRED)
                .maxOutputTokens(200);
    }

    private static ChatResponse answer(ChatRequest request, long seed) {
        InternVLChatOptions drawn = InternVLChatOptions.defaults().config(GenerationConfig.sampling(1.2f, seed));
        return InternVLChatModel.of(Demo.MODEL, drawn).chat(request);
    }

    private static ToolExecutionRequest call(ChatResponse response) {
        assertEquals(FinishReason.TOOL_EXECUTION, response.finishReason());
        assertNull(response.aiMessage().text());
        assertEquals(1, response.aiMessage().toolExecutionRequests().size());
        ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().get(0);
        assertFalse(call.id().isBlank());
        return call;
    }

    private static void expectPaint(ToolExecutionRequest call) {
        assertEquals("paint", call.name());
        assertTrue(
                call.arguments().matches("\\{(\"colour\":\"(red|blue)\"|\"coats\":-?\\d{1,20}|,){3}\\}"),
                call.arguments());
    }

    @Test
    void aRequiredToolIsCalled() {
        ChatResponse response = answer(asked(PAINT).build(), 1);
        expectPaint(call(response));
        assertNotEquals(
                call(response).id(), call(answer(asked(PAINT).build(), 1)).id());
    }

    @Test
    void oneOfSeveralIsCalled() {
        Set<String> called = new HashSet<>();
        for (int seed = 0; seed < 12; seed++) {
            ToolExecutionRequest call = call(answer(asked(PAINT, STOP).build(), seed));
            called.add(call.name());
            if (call.name().equals("stop")) {
                assertEquals("{}", call.arguments());
            } else {
                expectPaint(call);
            }
        }
        assertEquals(Set.of("paint", "stop"), called);
    }

    @Test
    void aStreamTellsTheCallWhole() throws Exception {
        ChatRequest request = asked(PAINT, STOP).build();
        List<CompleteToolCall> calls = new CopyOnWriteArrayList<>();
        Streamed streamed = new Streamed() {
            @Override
            public void onCompleteToolCall(CompleteToolCall call) {
                calls.add(call);
            }
        };
        InternVLStreamingChatModel.of(Demo.MODEL).chat(request, streamed);
        ToolExecutionRequest told = call(streamed.response());
        assertEquals(List.of(new CompleteToolCall(0, told)), calls);
        assertEquals("", streamed.text());
        ToolExecutionRequest plain = call(InternVLChatModel.of(Demo.MODEL).chat(request));
        assertEquals(plain.name() + plain.arguments(), told.name() + told.arguments());
    }

    @Test
    void aCallThatIsCutIsNone() {
        ChatResponse response = answer(asked(PAINT).maxOutputTokens(3).build(), 1);
        assertEquals(FinishReason.LENGTH, response.finishReason());
        assertFalse(response.aiMessage().hasToolExecutionRequests());
        assertNull(response.aiMessage().text());
    }

    /** The model was not trained to call tools: by itself it answers. */
    @Test
    void whereNoCallIsRequiredTheAnswerIsText() {
        String text = answer(asked().toolChoice(null).build(), 1).aiMessage().text();
        for (ToolChoice choice : new ToolChoice[] {null, ToolChoice.AUTO, ToolChoice.NONE}) {
            ChatResponse response = answer(asked(PAINT).toolChoice(choice).build(), 1);
            assertEquals(AiMessage.from(text), response.aiMessage());
        }
    }

    @Test
    void whatCannotBeCalledIsAnInvalidRequest() {
        List<ChatRequest> wrong = List.of(
                asked().build(),
                asked(PAINT, PAINT).build(),
                asked(PAINT).responseFormat(ResponseFormat.JSON).build());
        for (ChatRequest request : wrong) {
            assertThrows(InvalidRequestException.class, () -> answer(request, 1));
        }
        ToolSpecification odd = PAINT.toBuilder()
                .parameters(JsonObjectSchema.builder()
                        .addProperty("n", JsonRawSchema.from("{\"multipleOf\": 3, \"type\": \"integer\"}"))
                        .build())
                .build();
        InvalidRequestException thrown = assertThrows(
                InvalidRequestException.class, () -> answer(asked(odd).build(), 1));
        assertEquals(
                "multipleOf",
                assertInstanceOf(SchemaException.class, thrown.getCause()).keyword());
    }

    interface Painter {
        String ask(String question);
    }

    /** What LangChain4j executes. */
    static final class Brush {
        final List<String> painted = new CopyOnWriteArrayList<>();

        enum Colour {
            RED,
            BLUE
        }

        @Tool
        String paint(Colour colour, boolean twice) {
            painted.add(colour + (twice ? ", twice" : ""));
            return "painted";
        }
    }

    @Test
    void aServiceExecutesWhatIsCalled() {
        Brush brush = new Brush();
        Painter painter = AiServices.builder(Painter.class)
                .chatModel(InternVLChatModel.of(Demo.MODEL))
                .tools(brush)
                .chatRequestTransformer(request -> request.messages().size() > 1
                        ? request
                        : request.toBuilder()
                                .toolChoice(ToolChoice.REQUIRED)
                                .maxOutputTokens(400)
                                .build())
                .build();
        String answer = painter.ask("Paint it.");
        assertEquals(1, brush.painted.size(), answer);
    }
}
