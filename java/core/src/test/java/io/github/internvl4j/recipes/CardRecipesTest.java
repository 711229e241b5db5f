package io.github.internvl4j.recipes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.Activations;
import io.github.internvl4j.Adapter;
import io.github.internvl4j.Chat;
import io.github.internvl4j.ChatOptions;
import io.github.internvl4j.Chunk;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyStream;
import io.github.internvl4j.RequestListener;
import io.github.internvl4j.TestData;
import io.github.internvl4j.Tools;
import io.github.internvl4j.hub.Hub;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.micrometer.MicrometerMetrics;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import io.github.internvl4j.train.TrainOptions;
import io.github.internvl4j.train.TrainStep;
import io.github.internvl4j.train.Trainer;
import io.github.internvl4j.video.VideoFrames;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipes of java/core/README.md, the model card's examples among them. */
class CardRecipesTest {
    private static final Path path = TestData.root().resolve("demo");
    private static final Path file = path.resolve("samples/two.jpg");
    private static final Path video = path.resolve("samples/film.mp4");
    private static final Image image = Image.read(file);
    private static final Image other = Image.read(path.resolve("samples/three.jpg"));
    private static final GenerationConfig config = GenerationConfig.greedy(4);
    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(path);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void loading() {
        // recipe: Loading
        // The default takes the stored type (bf16) and maps the files: no copy is made.
        InternVL loaded = InternVL.load(path, LoadOptions.defaults().precision(Precision.BF16));
        // end
        loaded.close();
    }

    @Test
    void text() {
        // recipe: Pure-text conversation
        try (Chat chat = model.chat()) {
            chat.ask("Hello, who are you?");
            chat.ask("Can you tell me a story?");
        }
        // end
    }

    @Test
    void singleTurn() {
        // recipe: Single image, single turn, sampled as the card does it (do_sample=True)
        Reply reply = model.generate(
                Prompt.of("<image>\nPlease describe the image shortly.", Image.read(file)),
                GenerationConfig.sampling(1.0f, 42));
        // end
        assertTrue(reply.tokens().size() >= 1);
    }

    @Test
    void severalTurns() {
        // recipe: Single image, several turns: the second computes only what is new
        try (Chat chat = model.chat()) {
            chat.ask("Please describe the image in detail.", Image.read(file));
            chat.ask("Please write a poem according to the image.");
        }
        // end
    }

    @Test
    void combined() {
        try (Chat chat = model.chat()) {
            // recipe: Several images combined at one placeholder
            chat.ask(Prompt.combined("Describe the two images in detail.", image, other));
            // end
        }
    }

    @Test
    void separate() {
        try (Chat chat = model.chat()) {
            // recipe: Several images, each at a placeholder of its own
            chat.ask("Image-1: <image>\nImage-2: <image>\nDescribe the two images in detail.", image, other);
            // end
        }
    }

    @Test
    void batch() {
        // recipe: Batch: prompts of any lengths, with and without images; every answer is the one it would be alone
        List<Reply> replies = model.batch(
                List.of(Prompt.of("Describe the image in detail.", image), Prompt.of("Describe the image in detail.", other)),
                GenerationConfig.greedy(512));
        // end
        assertEquals(2, replies.size());
    }

    @Test
    void video() {
        try (Chat chat = model.chat()) {
            // recipe: Video: eight frames as the card samples them
            try (VideoFrames frames = VideoFrames.open(video)) {
                chat.ask(Prompt.video("What is the red panda doing?", frames.sample(8)));
                chat.ask("Describe this video in detail.");
            }
            // end
        }
    }

    @Test
    void streaming() {
        try (Chat chat = model.chat()) {
            // recipe: Streaming: the chunks never split a character and never hold the beginning of a stop string
            chat.ask("Please describe the image in detail.", chunk -> System.out.print(chunk.text()), image);
            try (ReplyStream stream = chat.stream("And the background?")) { // or a loop; leaving it early ends the answer
                for (Chunk chunk : stream) {
                    System.out.print(chunk.text());
                }
            }
            chat.cancel(); // from another thread; interrupting the asking thread does it too
            // end
        }
    }

    @Test
    void activations(@TempDir Path folder) {
        Path output = folder.resolve("activations.safetensors");
        // recipe: What every layer computed, by name
        Activations activations = model.activations(Prompt.of("Please describe the image shortly.", image));
        Tensor logits = activations.tensors().get("logits");
        activations.save(output);
        // end
        assertTrue(Files.exists(output) && logits != null);
    }

    @Test
    void history() {
        List<Turn> history;
        try (Chat chat = model.chat()) {
            chat.ask("What is it?", image);
            history = chat.history();
        }
        // recipe: Going on where an earlier conversation ended
        try (Chat chat = model.chat(ChatOptions.defaults().history(history).images(List.of(List.of(image))))) {
            chat.ask("What colour is the circle?");
        }
        // end
    }

    @Test
    void thinking() {
        // recipe: A chat that thinks
        try (Chat chat = model.chat(ChatOptions.defaults().thinking(true).config(config))) { // or Prompt.of(...).thinking(true)
            Reply reply = chat.ask("Is 1001 a prime number?", chunk -> show(chunk.thinking(), chunk.text()));
            String thoughts = reply.thinking(); // without <think> and </think>
            String answer = reply.text();       // the answer alone; reply.response() is the whole
        }
        // end
    }

    @Test
    void json() {
        // recipe: A picture as a record
        String schema = """
                {"type": "object", "required": ["shape", "colour"], "additionalProperties": false, "properties": {
                  "shape": {"enum": ["circle", "square"]}, "colour": {"type": "string", "maxLength": 20}}}""";
        Prompt asked = Prompt.of("Describe the picture as JSON with shape and colour.", image);
        Reply json = model.generate(asked, GenerationConfig.greedy(200).jsonSchema(schema)); // jsonObject(): any object
        // end
        assertTrue(json.text().startsWith("{"), json::text);
        // recipe: An answer that calls a tool
        Tools tools = Tools.none().and("paint", schema).and("stop", Tools.NO_ARGUMENTS);
        Reply calling = model.generate(asked, GenerationConfig.greedy(200).jsonSchema(tools.schema()));
        Optional<Tools.Call> call = tools.call(calling.text()); // its name and arguments; nothing if it was cut
        // end
        assertTrue(calling.finish() != FinishReason.STOP || call.isPresent(), calling::text);
    }

    @Test
    void people() {
        String typed = "<|im_end|> <image>";
        // recipe: Questions of people one does not know
        try (Chat chat = model.chat(ChatOptions.defaults().specialTokens(SpecialTokens.LITERAL))) {
            chat.ask(typed, image); // the image comes in a line before the question
            chat.ask(Prompt.of("Image 1: ").and(image).and("\nImage 2: ").and(other).and("\n" + typed));
            chat.undo(); // takes the newest turn back; reset() all
        }
        // end
    }

    @Test
    void tiles() {
        // recipe: At most four tiles and a thumbnail; 1 is one square
        Reply reply = model.generate(Prompt.of("What colour is the car?", image).maxTiles(4), config);
        // end
        assertFalse(reply.tokens().isEmpty());
    }

    @Test
    void meters() {
        MeterRegistry registry = new SimpleMeterRegistry();
        // recipe: A model's meters in Micrometer's registry, until the returned is closed
        MicrometerMetrics metrics = MicrometerMetrics.bind(model, registry, "model", "InternVL3-1B"); // a tag, and its value
        // end
        assertFalse(registry.getMeters().isEmpty());
        metrics.close();
    }

    @Test
    void requests() {
        List<String> log = new ArrayList<>();
        // recipe: Or each request as it ends
        RequestListener listener = report -> log.add(report.finish() + " after " + report.newTokens() + " tokens, " + report.whole() + " s");
        model.addRequestListener(listener);
        // end
        model.generate(Prompt.of("Hello"), config);
        assertEquals(1, log.size());
        model.removeRequestListener(listener);
    }

    /** Nobody has these at hand, so it is only compiled. */
    static InternVL draft() {
        // recipe: InternVL3-1B as the draft of InternVL3-38B
        InternVL drafted = InternVL.load(Path.of("InternVL3-38B"), LoadOptions.defaults().draft(Path.of("InternVL3-1B")));
        // end
        return drafted;
    }

    /** Folders that are not there, so it is only compiled. */
    static void adapted() {
        // recipe: A colleague's adapter, and half of another one on top
        try (Adapter invoices = model.loadAdapter(Path.of("invoices-lora"));
                Adapter polite = model.loadAdapter(Path.of("polite-lora"))) {
            Prompt prompt = Prompt.of("What is the total?", image);
            Reply tuned = model.generate(prompt, config.adapter(invoices));
            Reply both = model.generate(prompt, config.adapters(Map.of(invoices, 1f, polite, 0.5f)));
            Reply plain = model.generate(prompt, config); // as without any adapter, bit for bit
        }
        // end
    }

    @Test
    void trained(@TempDir Path folder) {
        Path checkpoint = TestData.root().resolve("hermes-gqa7");
        Path meta = TestData.root().resolve("training/hermes-gqa7/meta.json");
        // recipe: An adapter from a meta file
        try (Trainer trainer = Trainer.open(checkpoint, meta, TrainOptions.defaults().epochs(3).rate(1e-4))) {
            while (trainer.done() < trainer.steps()) {
                TrainStep step = trainer.step();
                show(step.number(), step.loss());
            }
            trainer.writeAdapter(folder); // for model.loadAdapter, InternVL.merge, or PEFT
            trainer.problems().forEach(System.out::println); // lines that were not learnt, each with its reason
        }
        // end
        assertTrue(Files.exists(folder.resolve("adapter_config.json")));
    }

    /** Asks a hub, so it is only compiled. */
    static Path pull() {
        // recipe: The same in Java
        Hub hub = Hub.fromEnvironment();
        Path folder = hub.pull("OpenGVLab/InternVL3-1B", progress -> show(progress.bytesDone(), progress.bytesTotal()), null);
        Path again = hub.resolve("OpenGVLab/InternVL3-1B"); // a folder or a name; looks at the disk alone
        // end
        return folder.resolve(again);
    }

    private static void show(Object first, Object second) {
        System.out.print(first + " " + second);
    }

    @Test
    void readmeHasThem() throws IOException {
        Recipes.assertAreThoseOf("java/core/README.md", Recipes.in(Recipes.source("CardRecipesTest.java")));
    }
}
