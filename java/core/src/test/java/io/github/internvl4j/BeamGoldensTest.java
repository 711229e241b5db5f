package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Beam search beside transformers' own: its tokens and its scores, which scripts/goldens/make_beam_goldens.py has stored. */
class BeamGoldensTest {
    private static final List<Asked> ASKED = read();

    record Asked(
            String checkpoint,
            List<Integer> prompt,
            @JsonProperty("max_new_tokens") int maxNewTokens,
            List<Expected> answers) {}

    record Expected(
            int beams,
            @JsonProperty("length_penalty") float lengthPenalty,
            @JsonProperty("stop_tokens") List<Integer> stopTokens,
            @JsonProperty("min_new_tokens") int minNewTokens,
            List<Integer> tokens,
            double score) {
        GenerationConfig config(int maxNewTokens) {
            return GenerationConfig.greedy(maxNewTokens)
                    .beams(beams)
                    .lengthPenalty(lengthPenalty)
                    .minNewTokens(minNewTokens)
                    .stopTokens(stopTokens.toArray(Integer[]::new));
        }

        /** The sum of the log-probabilities, which transformers divides to compare answers of several lengths. */
        double sum() {
            return score * Math.pow(tokens.size(), lengthPenalty);
        }
    }

    private static List<Asked> read() {
        try (var in = BeamGoldensTest.class.getResourceAsStream("/beams.json")) {
            return new ObjectMapper().readValue(in, new TypeReference<>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<String> checkpoints() {
        return ASKED.stream().map(Asked::checkpoint).distinct();
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void answersAndScoresAreTransformers(String checkpoint) {
        LoadOptions options = LoadOptions.defaults().device(Device.CPU).precision(Precision.F32);
        try (InternVL model = InternVL.load(TestData.root().resolve(checkpoint), options)) {
            for (Asked asked : ASKED.stream()
                    .filter(each -> each.checkpoint().equals(checkpoint))
                    .toList()) {
                for (Expected expected : asked.answers()) {
                    GenerationConfig config = expected.config(asked.maxNewTokens());
                    Reply reply = model.complete(asked.prompt(), "", config, ReplyListener.none(), null);
                    assertEquals(expected.tokens(), reply.tokens(), expected::toString);
                    double sum = reply.logprobs().stream()
                            .mapToDouble(TokenLogprob::logprob)
                            .sum();
                    assertEquals(expected.sum(), sum, 1e-4, expected::toString);
                }
            }
        }
    }

    @Test
    void someEndAndSomeAreCut() {
        List<Integer> lengths = ASKED.stream()
                .flatMap(asked -> asked.answers().stream())
                .map(answer -> answer.tokens().size())
                .toList();
        long cut = lengths.stream().filter(length -> length == 16).count();
        assertTrue(cut > 20 && cut < lengths.size() - 20, cut + " of " + lengths.size());
    }
}
