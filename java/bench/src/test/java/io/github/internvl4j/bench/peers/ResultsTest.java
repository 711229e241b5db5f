package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.bench.peers.Trial.Cost;
import io.github.internvl4j.runtime.Machine;
import java.io.File;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

final class ResultsTest {
    private static final Machine MACHINE = new Machine(20, 400, 800, 1600, 2);
    private static final Side BF16 = new Side(Engine.LLAMA_CPP, Format.BF16, "");
    private static final Side BF16_FLASH = new Side(Engine.LLAMA_CPP, Format.BF16, LlamaCpp.FLASH);

    @TempDir
    private Path folder;

    private static TrialResult decoded(int past, Side peer, double... peerSeconds) {
        return new TrialResult(
                Task.decode("yi-mini", past),
                Side.ours(Format.INT8),
                peer,
                "ours",
                "theirs",
                new double[] {0.1, 0.2, 0.4},
                peerSeconds,
                new Cost(2e9, 1e9, 0.2e9),
                MACHINE,
                null);
    }

    private static TrialResult failed(Side peer, String reason) {
        return new TrialResult(
                Task.decode("yi-mini", 0),
                Side.ours(Format.INT8),
                peer,
                "",
                "",
                new double[0],
                new double[0],
                null,
                MACHINE,
                reason);
    }

    @Test
    void mediansAndExtremes() {
        assertEquals(new Spread(3, 1, 9), Spread.of(new double[] {9, 1, 3}));
        assertEquals(new Spread(2.5, 1, 9), Spread.of(new double[] {9, 1, 2, 3}));
        assertEquals(new Spread(4, 4, 4), Spread.of(new double[] {4}));
        assertThrows(IllegalArgumentException.class, () -> Spread.of(new double[0]));
    }

    @Test
    void speedsAreInTheTasksUnit() {
        assertEquals(2e-9 * 512 * 7168 * 100 / 0.5, Task.matmul(512, 7168, 100).speed(0.5), 1e-9);
        assertEquals(1024, Task.prefill("yi-mini", 512).speed(0.5), 1e-9);
        assertEquals(2, Task.decode("yi-mini", 512).speed(0.5), 1e-9);
        assertEquals(2, Task.vision("vit-300m").speed(0.5), 1e-9);
    }

    @Test
    void theRatioIsThatOfPairs() {
        // The machine became four times slower during the trial: the ratio does not show it.
        TrialResult trial = decoded(0, BF16, 0.2, 0.4, 0.8);
        assertEquals(new Spread(2, 2, 2), trial.ratio());
        assertEquals(new Spread(5, 2.5, 10), trial.ourSpeed());
    }

    @Test
    void aDecodedTokensShareIsOfBandwidthInTheSidesOwnFormat() {
        TrialResult trial = decoded(1024, BF16, 0.4, 0.4, 0.4);
        assertEquals((1e9 + 0.2e9) / 0.2 / 20e9, trial.ourShare(), 1e-12);
        assertEquals(
                (2e9 + 0.2e9) / 0.4 / 20e9, trial.peerShare(), 1e-12, "twice the bytes of a weight, the same cache");
        TrialResult wide = decoded(1024, new Side(Engine.PYTORCH, Format.F32, Torch.MKL), 0.4, 0.4, 0.4);
        assertEquals((4e9 + 0.4e9) / 0.4 / 20e9, wide.peerShare(), 1e-12, "f32 weights, f32 cache");
    }

    @Test
    void aPromptsShareIsOfThePeakOfWhatItIsMadeOf() {
        TrialResult trial = new TrialResult(
                Task.prefill("yi-mini", 512),
                Side.ours(Format.INT8),
                BF16,
                "",
                "",
                new double[] {1},
                new double[] {4},
                new Cost(800e9, 1e9, 0),
                MACHINE,
                null);
        assertEquals(800.0 / 1600, trial.ourShare(), 1e-12);
        assertEquals(200.0 / 800, trial.peerShare(), 1e-12, "llama.cpp rounds activations to bf16, too");
    }

    private static TrialResult prompt(Side ours, Side peer, Machine machine) {
        return new TrialResult(
                Task.prefill("yi-mini", 512),
                ours,
                peer,
                "ours",
                "theirs",
                new double[] {1},
                new double[] {1},
                new Cost(200e9, 1e9, 0),
                machine,
                null);
    }

    @Test
    void aShareOfThePeakOfBf16IsForThoseWhoMultiplyThat() {
        Side f16 = new Side(Engine.LLAMA_CPP, Format.F16, "");
        TrialResult wide = prompt(Side.ours(Format.BF16), f16, MACHINE);
        assertEquals(200.0 / 400, wide.ourShare(), 1e-12);
        assertEquals(200.0 / 400, wide.peerShare(), 1e-12);
        TrialResult rounded =
                prompt(Side.oursWithBf16Activations(), new Side(Engine.PYTORCH, Format.BF16, Torch.MKL), MACHINE);
        assertEquals(200.0 / 800, rounded.ourShare(), 1e-12);
        assertEquals(200.0 / 800, rounded.peerShare(), 1e-12);
    }

    @Test
    void aPeakThatWasNotMeasuredGivesNoShare() {
        Results before =
                new Results("cpu", 2, List.of(prompt(Side.ours(Format.BF16), BF16, new Machine(20, 400, 0, 1600, 2))));
        assertEquals(0.5, before.trials().get(0).ourShare(), 1e-12);
        assertTrue(Table.of(before).contains("| llama.cpp bf16 | 512 (512 to 512) | unknown |"), Table.of(before));
    }

    @Test
    void oursWithBf16ActivationsIsAWayOfItsOwn() throws Exception {
        Results results = new Results(
                "cpu",
                2,
                List.of(
                        prompt(Side.ours(Format.BF16), BF16, MACHINE),
                        prompt(Side.oursWithBf16Activations(), BF16, MACHINE)));
        assertEquals(2, results.best().size());
        assertTrue(Table.of(results).contains("| yi-mini prefill 512, tokens/s | bf16 |"), Table.of(results));
        assertTrue(
                Table.of(results).contains("| yi-mini prefill 512, tokens/s | bf16, bf16 activations |"),
                Table.of(results));
        assertEquals(
                "internvl4j bf16, bf16 activations: ours\ninternvl4j bf16: ours\nllama.cpp bf16: theirs\n",
                Table.settings(results));
        assertTrue(
                words(results).contains("yi-mini prefill 512, bf16, bf16 activations (tokens/s)"),
                words(results).toString());
        File file = folder.resolve("results.json").toFile();
        Json.write(file, results);
        assertEquals(
                2,
                new Results("cpu", 2, List.of(results.trials().get(1)))
                        .onTopOf(file)
                        .trials()
                        .size());
    }

    @Test
    void ofThePeersVariantsTheFastestCounts() {
        Results results = new Results(
                "cpu",
                2,
                List.of(
                        decoded(0, BF16, 2, 2, 2),
                        decoded(0, BF16_FLASH, 1, 1, 1),
                        decoded(64, BF16, 3, 3, 3),
                        failed(BF16, "no")));
        assertEquals(
                List.of(BF16_FLASH, BF16),
                results.best().stream().map(TrialResult::peer).toList());
    }

    @Test
    void resultsAreKeptUnlessMadeAgain() throws Exception {
        File file = folder.resolve("results.json").toFile();
        Results first = new Results("cpu", 2, List.of(decoded(0, BF16, 2, 2, 2), decoded(64, BF16, 3, 3, 3)));
        Json.write(file, first.onTopOf(file));
        Results all = new Results("cpu", 2, List.of(decoded(0, BF16, 1, 1, 1))).onTopOf(file);
        assertEquals(2, all.trials().size());
        assertEquals(64, all.trials().get(0).task().tokens());
        assertEquals(3, all.trials().get(0).peerSeconds()[0]);
        assertEquals(1, all.trials().get(1).peerSeconds()[0]);
        assertEquals(MACHINE, all.trials().get(0).machine());
        IOException e = assertThrows(IOException.class, () -> new Results("another", 2, List.of()).onTopOf(file));
        assertTrue(e.getMessage().contains("cpu with 2 threads, this is another with 2"), e.getMessage());
    }

    @Test
    void theTableHasEveryPairAndTheReasonsOfTheRest() {
        Results results =
                new Results("cpu", 2, List.of(decoded(1024, BF16, 0.2, 0.4, 0.8), failed(BF16_FLASH, "no library")));
        String table = Table.of(results);
        assertTrue(
                table.contains("| yi-mini decode at 1024, tokens/s | int8 | 5.00 (2.50 to 10.0) | 30% | llama.cpp bf16"
                        + " | 2.50 (1.25 to 5.00) | 28% | **2.00** (2.00 to 2.00) |"),
                table);
        assertEquals("internvl4j int8: ours\nllama.cpp bf16: theirs\n", Table.settings(results));
        assertEquals(
                "not compared: yi-mini decode at 0, int8, with llama.cpp bf16, flash attention: no library\n",
                Table.failures(results.trials()));
    }

    @Test
    void theChartIsXmlWithABarForEachSideAndALineForEachDecoder() throws Exception {
        Results results =
                new Results("cpu", 2, List.of(decoded(0, BF16, 0.2, 0.4, 0.8), decoded(1024, BF16, 0.3, 0.4, 0.8)));
        List<String> words = words(results);
        assertTrue(words.contains("yi-mini decode at 0, int8 (tokens/s)"), words.toString());
        assertTrue(words.contains("1024"), "the curve's length");
        assertEquals(2, words.stream().filter("llama.cpp bf16"::equals).count(), "a bar and a line");
        assertEquals(2, words.stream().filter("internvl4j int8"::equals).count(), "a bar and a line");
    }

    @Test
    void aDecoderThatWasTimedBehindOneLengthHasBarsAndNoLine() throws Exception {
        TrialResult mini = decoded(0, BF16, 0.2, 0.4, 0.8);
        TrialResult layer = new TrialResult(
                Task.decode("yi-34b-layer", 64),
                mini.ours(),
                BF16,
                "",
                "",
                mini.ourSeconds(),
                mini.peerSeconds(),
                mini.cost(),
                MACHINE,
                null);
        List<String> words = words(new Results("cpu", 2, List.of(mini, decoded(1024, BF16, 0.3, 0.4, 0.8), layer)));
        assertTrue(words.contains("yi-34b-layer decode at 64, int8 (tokens/s)"), words.toString());
        assertTrue(words.contains("yi-mini decode over tokens already there (tokens/s)"), words.toString());
        assertFalse(words.contains("yi-34b-layer decode over tokens already there (tokens/s)"), words.toString());
        assertFalse(words.contains("64"), "not on the other decoder's axis");
    }

    /** The chart's texts; it is XML. */
    private static List<String> words(Results results) throws Exception {
        NodeList texts = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(Chart.of(results))))
                .getElementsByTagName("text");
        return IntStream.range(0, texts.getLength())
                .mapToObj(i -> texts.item(i).getTextContent())
                .toList();
    }

    @Test
    void reasonsAreTheInnermostCauses() {
        Throwable failure = new ExceptionInInitializerError(new UnsatisfiedLinkError("no jnidnnl in path\nmore"));
        assertEquals("UnsatisfiedLinkError: no jnidnnl in path", Failures.reason(failure));
        assertEquals("IllegalStateException", Failures.reason(new IllegalStateException()));
    }
}
