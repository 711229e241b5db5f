package io.github.internvl4j.api;

import io.github.internvl4j.Activations;
import io.github.internvl4j.Adapter;
import io.github.internvl4j.BatchListener;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.Chat;
import io.github.internvl4j.ChatOptions;
import io.github.internvl4j.CheckReport;
import io.github.internvl4j.Device;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.KvCacheType;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MergeRounding;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.Precision;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.PromptBuilder;
import io.github.internvl4j.ReplyListener;
import io.github.internvl4j.RequestListener;
import io.github.internvl4j.TestAdapters;
import io.github.internvl4j.TestData;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.Tools;
import io.github.internvl4j.VisionPrecision;
import io.github.internvl4j.WhenFull;
import io.github.internvl4j.hub.Hub;
import io.github.internvl4j.hub.HubOptions;
import io.github.internvl4j.hub.PullListener;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.tensor.ActivationComparison;
import io.github.internvl4j.tensor.SafetensorsFile;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.AnswerStream;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.ConversationTemplates;
import io.github.internvl4j.text.PromptEncoder;
import io.github.internvl4j.text.RenderedPrompt;
import io.github.internvl4j.text.Segment;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.StopStrings;
import io.github.internvl4j.text.StreamDecoder;
import io.github.internvl4j.text.Stretch;
import io.github.internvl4j.text.ThinkingStream;
import io.github.internvl4j.text.Tokenizer;
import io.github.internvl4j.text.Turn;
import io.github.internvl4j.train.Intermediates;
import io.github.internvl4j.train.Learning;
import io.github.internvl4j.train.TrainListener;
import io.github.internvl4j.train.TrainOptions;
import io.github.internvl4j.train.Trainer;
import io.github.internvl4j.video.VideoFrames;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Something good of every type that the API takes or has methods on. */
final class Samples implements AutoCloseable {
    private static final Path DEMO = TestData.root().resolve("demo");

    private final Map<Class<?>, Object> known = new HashMap<>();
    private final InternVL model = InternVL.load(DEMO);
    private final Adapter adapter = loadAdapter();
    private final Trainer trainer = Trainer.open(
            TestData.root().resolve("hermes-gqa7"),
            TestData.root().resolve("training/hermes-gqa7/meta.json"),
            TrainOptions.defaults());
    private final VideoFrames video = VideoFrames.open(DEMO.resolve("samples/film.mp4"));

    Samples() {
        Image image = Image.read(DEMO.resolve("samples/two.jpg"));
        put(InternVL.class, model);
        put(VideoFrames.class, video);
        put(Image.class, image);
        put(Image[].class, new Image[] {image});
        put(Chat.class, model.chat());
        put(ChatOptions.class, ChatOptions.defaults());
        put(WhenFull.class, WhenFull.FAIL);
        put(Prompt.class, Prompt.of("q"));
        put(PromptBuilder.class, PromptBuilder.of(SpecialTokens.LITERAL));
        put(Turn.class, Turn.of("q", "a"));
        put(GenerationConfig.class, GenerationConfig.greedy(1));
        put(LoadOptions.class, LoadOptions.defaults());
        put(BatchRequest.class, BatchRequest.of(Prompt.of("q"), GenerationConfig.greedy(1)));
        put(Cancellation.class, new Cancellation());
        put(CheckReport.class, InternVL.check(DEMO, false));
        put(Activations.class, model.activations(Prompt.of("q")));
        put(ModelInfo.class, model.info());
        put(Device.class, Device.CPU);
        put(Precision.class, Precision.AUTO);
        put(KvCacheType.class, KvCacheType.AUTO);
        put(VisionPrecision.class, VisionPrecision.AS_STORED);
        put(MergeRounding.class, MergeRounding.ONCE);
        put(Adapter.class, adapter);
        put(FinishReason.class, FinishReason.STOP);
        put(TokenLogprob.class, new TokenLogprob(1, 0));
        put(Tools.class, Tools.none().and("t", Tools.NO_ARGUMENTS));
        put(Tools.Call.class, new Tools.Call("t", "{}"));
        put(ReplyListener.class, ReplyListener.none());
        put(BatchListener.class, new Deaf());
        put(RequestListener.class, (RequestListener) report -> {});
        put(MeterRegistry.class, new SimpleMeterRegistry());
        put(Consumer.class, (Consumer<Object>) nothing -> {});
        put(Predicate.class, (Predicate<Object>) nothing -> true);
        putText();
        putTraining();
        putOthers();
    }

    private Adapter loadAdapter() {
        try {
            return model.loadAdapter(TestAdapters.random(DEMO, Files.createTempDirectory("adapter"), 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Deaf implements BatchListener {
        @Override
        public void onReply(int index, io.github.internvl4j.Reply reply) {}

        @Override
        public void onFailure(int index, io.github.internvl4j.error.InternVLException failure) {}
    }

    private void putText() {
        ConversationTemplate template = ConversationTemplates.forName("internvl2_5");
        put(ConversationTemplate.class, template);
        put(ConversationTemplate.Wrapping.class, template.user());
        put(Tokenizer.class, model.tokenizer());
        put(StreamDecoder.class, model.tokenizer().newDecoder());
        put(PromptEncoder.class, new PromptEncoder(model.tokenizer(), template));
        put(RenderedPrompt.class, template.render(null, List.of(), "q", List.of(), 1));
        put(Segment.class, Segment.template("x"));
        put(Segment.Author.class, Segment.Author.USER);
        put(SpecialTokens.class, SpecialTokens.PARSE);
        put(Stretch.class, new Stretch("x", true));
        put(StopStrings.class, new StopStrings(List.of()));
        put(ThinkingStream.class, new ThinkingStream());
        put(AnswerStream.class, new AnswerStream(model.tokenizer(), List.of()));
    }

    private void putTraining() {
        put(Trainer.class, trainer);
        put(TrainOptions.class, TrainOptions.defaults());
        put(TrainListener.class, new TrainListener() {});
        put(Learning.class, Learning.LORA);
        put(Intermediates.class, Intermediates.AUTO);
    }

    private void putOthers() {
        put(Hub.class, Hub.fromEnvironment());
        put(HubOptions.class, HubOptions.fromEnvironment());
        put(PullListener.class, PullListener.none());
        put(ImageProcessor.class, model.imageProcessor());
        put(ReadOptions.class, ReadOptions.defaults());
        put(Tiling.class, Tiling.NONE);
        put(Tensor.class, Tensor.of(new float[] {1}, 1));
        put(SafetensorsFile.class, SafetensorsFile.open(DEMO.resolve("model.safetensors")));
        put(ActivationComparison.class, ActivationComparison.compare(Map.of(), Map.of(), 1));
        put(BufferedImage.class, new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB));
        put(InputStream.class, new ByteArrayInputStream(new byte[0]));
        put(Path.class, Path.of("/nowhere/at/all"));
        put(URI.class, URI.create("https://example.invalid"));
        put(Duration.class, Duration.ofSeconds(1));
        put(FloatBuffer.class, Tensor.of(new float[] {1}, 1).data());
        put(String.class, "text");
        put(Iterable.class, List.of());
        put(List.class, List.of());
        put(Map.class, Map.of());
        put(Iterator.class, Collections.emptyIterator());
        put(String[].class, new String[0]);
        put(Integer[].class, new Integer[0]);
        put(Integer.class, 1);
        put(byte[].class, new byte[3]);
        put(int[].class, new int[0]);
        put(long[].class, new long[] {1});
        put(float[].class, new float[] {1});
        put(int.class, 1);
        put(long.class, 1L);
        put(float.class, 1f);
        put(double.class, 1.0);
        put(boolean.class, true);
    }

    private void put(Class<?> type, Object sample) {
        known.put(type, sample);
    }

    Object of(Class<?> type) {
        Object sample = known.get(type);
        if (sample == null) {
            throw new IllegalStateException("no sample of " + type);
        }
        return sample;
    }

    @Override
    public void close() {
        ((SafetensorsFile) of(SafetensorsFile.class)).close();
        video.close();
        trainer.close();
        adapter.close();
        model.close();
    }
}
