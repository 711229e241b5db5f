package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.tensor.Tensor;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images of several tiles in prompts, chats and videos. */
class TiledImagesTest {
    private static final Oracle ORACLE = Oracle.load("internlm2-tiles");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(8).topLogprobs(2);
    private static final LoadOptions OPTIONS = LoadOptions.defaults().precision(Precision.F32);

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(ORACLE.directory(), OPTIONS);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static int imageTokens(Reply reply) {
        int row = model.tokenizer().tokenId("<IMG_CONTEXT>").orElseThrow();
        return Collections.frequency(reply.promptTokens(), row);
    }

    @ParameterizedTest
    @CsvSource({
        "internlm2-tiles, images-separate",
        "internlm2-tiles, images-combined",
        "qwen2-tied, image-rounds",
        "qwen2-hf, images-separate",
        "qwen3, images-combined"
    })
    void aSecondTurnIsTheOriginalsAndReusesTheFirst(String name, String dialog) {
        Oracle oracle = Oracle.load(name);
        Oracle.Dialog opening = oracle.dialog(dialog + ".0");
        Oracle.Dialog next = oracle.dialog(dialog + ".1");
        try (InternVL loaded = InternVL.load(oracle.directory(), OPTIONS);
                Chat chat = loaded.chat()) {
            Reply one = chat.ask(oracle.prompt(opening), GenerationConfig.greedy(24), ReplyListener.none());
            assertEquals(opening.greedyTokens(), one.tokens());
            Reply two = chat.ask(Prompt.of(next.question()), GenerationConfig.greedy(24), ReplyListener.none());
            assertEquals(next.inputIds(), two.promptTokens());
            assertEquals(next.greedyTokens(), two.tokens());
            assertTrue(two.timings().reusedTokens() >= opening.inputIds().size());
        }
    }

    @Test
    void aTurnKeepsTheTilesItWasAskedWith() {
        Image wide = ORACLE.image("wide-800x300.png");
        Image tall = ORACLE.image("tall-300x800.jpg");
        try (Chat chat = model.chat()) {
            chat.ask(Prompt.of("What is this?", wide).maxTiles(1), CONFIG, ReplyListener.none());
            Reply reply = chat.ask(Prompt.of("And this?", tall).maxTiles(4), CONFIG, ReplyListener.none());
            Prompt whole = Prompt.of("<image>\nAnd this?", wide, tall)
                    .history(List.of(chat.history().get(0)))
                    .maxTiles(4)
                    .tileLimits(List.of(1));
            Reply fresh = model.generate(whole, CONFIG);
            assertEquals(fresh.promptTokens(), reply.promptTokens());
            assertEquals(fresh.alternatives(), reply.alternatives());
        }
    }

    @Test
    void imagesOfOneEntryHaveLimitsOfTheirOwn() {
        Image wide = ORACLE.image("wide-800x300.png");
        Image tall = ORACLE.image("tall-300x800.jpg");
        Prompt prompt = Prompt.combined("Q", tall, wide, tall).and(wide).tileLimits(List.of(0, 1, 2));
        PromptReader reader = model.reader();
        List<Tensor> alone = Stream.of(
                        Prompt.of("Q", tall),
                        Prompt.of("Q", wide).maxTiles(1),
                        Prompt.of("Q", tall).maxTiles(2),
                        Prompt.of("Q", wide))
                .map(reader::pixels)
                .toList();
        Tensor pixels = reader.pixels(prompt);
        assertArrayEquals(Tensor.joined(alone).toArray(), pixels.toArray());
        List<Integer> tiles = reader.tiles(prompt);
        assertEquals(2, tiles.size());
        assertEquals(alone.get(3).size(0), tiles.get(1).longValue());
        assertEquals(pixels.size(0), tiles.get(0) + tiles.get(1));
        assertTrue(alone.get(0).size(0) > 2 && alone.get(3).size(0) > 1);
    }

    @Test
    void aVideosFramesAreOneTileEach() {
        Oracle.Dialog dialog = ORACLE.dialog("frames.0");
        List<Image> frames = dialog.images().stream().map(ORACLE::image).toList();
        String question = dialog.question().substring(dialog.question().lastIndexOf("<image>\n") + 8);
        Reply video = model.generate(Prompt.video(question, frames).maxTiles(7), GenerationConfig.greedy(24));
        assertEquals(dialog.inputIds(), video.promptTokens());
        assertEquals(dialog.greedyTokens(), video.tokens());

        Image small = ORACLE.image("small-50x40.png");
        int alone = imageTokens(model.generate(Prompt.of("Q", small), CONFIG));
        Prompt both = Prompt.of("")
                .placeholders(List.of())
                .and(small)
                .andVideo(frames)
                .and("Q");
        assertEquals(alone + frames.size() * model.info().tokensPerImage(), imageTokens(model.generate(both, CONFIG)));
    }

    @Test
    void limits() {
        Prompt prompt = Prompt.of("Q", ORACLE.image("small-50x40.png"));
        for (int wrong : new int[] {0, -1, 1_000_000}) {
            String message = assertThrows(InvalidOptionException.class, () -> prompt.maxTiles(wrong))
                    .getMessage();
            assertTrue(message.contains("maxTiles is " + wrong), message);
        }
        assertThrows(InvalidOptionException.class, () -> prompt.tileLimits(List.of(1_000_000)));
        assertThrows(PromptException.class, () -> prompt.tileLimits(List.of(1, 1)));
        assertEquals(prompt, prompt.tileLimits(List.of(0)));
        assertEquals(List.of(), prompt.tileLimits(List.of(2)).images(List.of()).tileLimits());
    }

    @Test
    void whatDoesNotFitIsToldInTiles() {
        Prompt prompt = ORACLE.prompt(ORACLE.dialog("images-separate.0")); // 11 and 13 tiles
        int each = model.info().tokensPerImage();
        for (int context : new int[] {24 * each, 24 * each + 20}) { // the images alone; with the text
            try (InternVL small = InternVL.load(ORACLE.directory(), OPTIONS.contextLength(context))) {
                String message = assertThrows(ContextLengthException.class, () -> small.generate(prompt, CONFIG))
                        .getMessage();
                assertTrue(
                        message.contains("the context holds " + context)
                                && message.contains("24 tiles of images take " + 24 * each + " of them, " + each
                                        + " each, and at most ")
                                && message.contains("maxTiles"),
                        message);
                assertFalse(small.generate(prompt.maxTiles(1), CONFIG).tokens().isEmpty());
                try (Chat chat = small.chat()) {
                    assertThrows(ContextLengthException.class, () -> chat.ask(prompt, CONFIG, ReplyListener.none()));
                }
            }
        }
    }

    @Test
    void manyTilesAreCancelled() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        Prompt prompt = ORACLE.prompt(ORACLE.dialog("images-separate.0"));
        Reply reply = model.generate(prompt, CONFIG, ReplyListener.none(), cancellation);
        assertEquals(FinishReason.CANCELLED, reply.finish());
        assertTrue(reply.tokens().isEmpty());
    }
}
