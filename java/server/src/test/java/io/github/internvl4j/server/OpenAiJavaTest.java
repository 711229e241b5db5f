package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.SseException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenAI's own Java client, which is particular about streams. */
class OpenAiJavaTest {
    private static Fixture fixture;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        fixture = new Fixture();
        client = client(fixture);
    }

    @AfterAll
    static void end() {
        client.close();
        fixture.close();
    }

    private static OpenAIClient client(Fixture fixture) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(fixture.uri("/v1").toString())
                .apiKey("none-is-needed")
                .maxRetries(0)
                .build();
    }

    private static ChatCompletionCreateParams.Builder asked() {
        ChatCompletionContentPart image = ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                        .url(Fixture.image("three.jpg"))
                        .build())
                .build());
        ChatCompletionContentPart text = ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder()
                .text("Please describe the image in detail.")
                .build());
        return ChatCompletionCreateParams.builder()
                .model(Fixture.NAME)
                .addUserMessageOfArrayOfContentParts(List.of(image, text));
    }

    @Test
    void plainAndStreamedAnswersAreEqual() {
        ChatCompletion plain = client.chat().completions().create(asked().build());
        assertTrue(plain.choices().get(0).message().content().orElseThrow().contains("star"));
        ChatCompletionCreateParams streamed = asked().streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(streamed)) {
            stream.stream().forEach(whole::accumulate);
        }
        ChatCompletion put = whole.chatCompletion();
        assertEquals(
                plain.choices().get(0).message().content(),
                put.choices().get(0).message().content());
        assertEquals(
                plain.usage().orElseThrow().totalTokens(),
                put.usage().orElseThrow().totalTokens());
        assertEquals(
                ChatCompletion.Choice.FinishReason.STOP, put.choices().get(0).finishReason());
    }

    @Test
    @SuppressWarnings("deprecation") // of the seed, which OpenAI itself does not keep
    void choicesLogprobsAndStops() {
        ChatCompletionCreateParams params = asked().n(2)
                .seed(3)
                .temperature(1.0)
                .logprobs(true)
                .topLogprobs(3)
                .stop("star")
                .build();
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(whole::accumulate);
        }
        ChatCompletion streamed = whole.chatCompletion();
        ChatCompletion plain = client.chat().completions().create(params);
        for (int i = 0; i < 2; i++) {
            ChatCompletion.Choice choice = plain.choices().get(i);
            assertEquals(
                    choice.message().content(),
                    streamed.choices().get(i).message().content());
            assertEquals(
                    3,
                    choice.logprobs()
                            .orElseThrow()
                            .content()
                            .orElseThrow()
                            .get(0)
                            .topLogprobs()
                            .size());
            assertEquals(
                    choice.logprobs().orElseThrow().content().orElseThrow().size(),
                    streamed.choices()
                            .get(i)
                            .logprobs()
                            .orElseThrow()
                            .content()
                            .orElseThrow()
                            .size());
        }
    }

    @Test
    void failuresHaveTheirTypes() {
        assertThrows(
                NotFoundException.class,
                () -> client.chat()
                        .completions()
                        .create(asked().model("another").build()));
        BadRequestException wrong = assertThrows(
                BadRequestException.class,
                () -> client.chat().completions().create(asked().topP(7).build()));
        assertEquals("top_p", wrong.param().orElseThrow());
        try (Fixture locked = new Fixture(Fixture.options().apiKeys(List.of("a-secret-key")), Limits.Times.defaults());
                OpenAIClientHolder holder = new OpenAIClientHolder(client(locked))) {
            assertThrows(
                    UnauthorizedException.class,
                    () -> holder.client().chat().completions().create(asked().build()));
        }
    }

    @Test
    void aFailureInAStreamIsSeen() {
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.ANSWER, Duration.ofMillis(1000));
        try (Fixture hurried = new Fixture(Fixture.options(), brief);
                OpenAIClientHolder holder = new OpenAIClientHolder(client(hurried))) {
            ChatCompletionCreateParams endless = asked().maxCompletionTokens(3000)
                    .putAdditionalBodyProperty("min_tokens", com.openai.core.JsonValue.from(3000))
                    .build();
            try (StreamResponse<ChatCompletionChunk> stream =
                    holder.client().chat().completions().createStreaming(endless)) {
                assertThrows(SseException.class, () -> stream.stream().forEach(chunk -> {}));
            }
        }
    }

    @Test
    void textsAreCompleted() {
        String text = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(Fixture.NAME)
                        .prompt("The image shows")
                        .maxTokens(8)
                        .logprobs(2)
                        .build())
                .choices()
                .get(0)
                .text();
        assertTrue(!text.isEmpty(), "something comes");
    }

    private record OpenAIClientHolder(OpenAIClient client) implements AutoCloseable {
        @Override
        public void close() {
            client.close();
        }
    }
}
