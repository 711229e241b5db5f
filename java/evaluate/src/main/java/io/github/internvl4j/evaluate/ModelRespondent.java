package io.github.internvl4j.evaluate;

import io.github.internvl4j.BatchListener;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A model, with as many questions together as it was loaded for. */
public final class ModelRespondent implements Respondent {
    private final InternVL model;
    private final int beams;
    private final @Nullable String system;
    private final Cancellation cancellation;

    /**
     * Does not close the model.
     *
     * @param scripts say how many beams are searched with
     * @param system null for the template's own
     * @param cancellation ends it; what is asked then counts as not asked
     */
    public ModelRespondent(InternVL model, Scripts scripts, @Nullable String system, Cancellation cancellation) {
        this.model = model;
        this.beams = scripts.beams(model.info());
        this.system = system;
        this.cancellation = cancellation;
    }

    @Override
    public void ask(Benchmark benchmark, List<Sample> samples, Listener listener) {
        Map<Integer, String> pictures = new HashMap<>();
        List<Supplier<BatchRequest>> requests = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            int number = i;
            requests.add(() -> request(benchmark, samples.get(number), number, pictures));
        }
        model.batch(requests.iterator(), new Answers(samples, pictures, listener), cancellation);
    }

    @Override
    public boolean isStopped() {
        return cancellation.isCancelled();
    }

    private BatchRequest request(Benchmark benchmark, Sample sample, int number, Map<Integer, String> pictures) {
        try {
            List<Picture> read = new ArrayList<>();
            List<String> digests = new ArrayList<>();
            for (Picture picture : sample.pictures()) {
                byte[] encoded = picture.read();
                read.add(Picture.of(picture.name(), encoded));
                digests.add(Digest.of(encoded));
            }
            pictures.put(number, String.join(" ", digests));
            Prompt prompt = benchmark.prompt(sample.withPictures(read));
            return BatchRequest.of(
                    benchmark.hasTemplatesSystem() ? prompt : prompt.system(system),
                    benchmark.decoding().config().beams(benchmark.hasScriptsBeams() ? beams : 1));
        } catch (IOException failure) {
            throw new PromptException(String.valueOf(failure.getMessage()), failure);
        }
    }

    /** The whole prompt as text, for people. */
    public String promptText(Benchmark benchmark, Sample sample) {
        return model.promptText(request(benchmark, sample, 0, new HashMap<>()).prompt());
    }

    private record Answers(List<Sample> samples, Map<Integer, String> pictures, Listener listener)
            implements BatchListener {
        @Override
        public void onReply(int index, Reply reply) {
            String picture = Objects.requireNonNullElse(pictures.remove(index), "");
            if (reply.finish() != FinishReason.CANCELLED) {
                listener.answered(
                        samples.get(index),
                        new Given(
                                Python.strip(reply.text()),
                                reply.promptTokens().size(),
                                reply.tokens().size(),
                                reply.finish().name().toLowerCase(Locale.ROOT),
                                picture));
            }
        }

        @Override
        public void onFailure(int index, InternVLException failure) {
            listener.failed(samples.get(index), String.valueOf(failure.getMessage()));
        }
    }
}
