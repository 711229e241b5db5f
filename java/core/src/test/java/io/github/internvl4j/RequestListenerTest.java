package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ClosedException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each request that begins is heard of once, however it ends and whoever asked. */
class RequestListenerTest {
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(3);

    private final List<RequestReport> reports = Collections.synchronizedList(new ArrayList<>());
    private final RequestListener listener = reports::add;
    private InternVL model;

    @BeforeEach
    void load() {
        model = InternVL.load(
                TestData.root().resolve("hermes-d128"), LoadOptions.defaults().threads(1));
        model.addRequestListener(listener);
    }

    @AfterEach
    void close() {
        model.close();
    }

    private List<FinishReason> ends() {
        return reports.stream().map(RequestReport::finish).toList();
    }

    @Test
    void everyWayToAskIsHeard() throws Exception {
        Reply reply = model.generate(Prompt.of("Hello"), CONFIG);
        model.complete(reply.promptTokens(), "", CONFIG, ReplyListener.none(), null);
        model.batch(List.of(Prompt.of("Hello"), Prompt.of("Hello")), CONFIG);
        model.generateAsync(Prompt.of("Hello"), CONFIG).get();
        try (Chat chat = model.chat()) {
            chat.ask("Hello", CONFIG);
        }
        assertEquals(Collections.nCopies(6, FinishReason.LENGTH), ends());
        for (RequestReport report : reports) {
            assertEquals(reply.promptTokens().size(), report.promptTokens());
            assertEquals(3, report.newTokens());
            assertEquals(2, report.betweenTokens().count());
            double sum =
                    report.firstToken().orElseThrow() + report.betweenTokens().sum();
            assertTrue(report.queue() < sum && sum <= report.whole(), report::toString);
        }
        assertEquals(0, reports.get(0).reusedTokens());
    }

    @Test
    void beamsAreOneRequest() {
        model.generate(Prompt.of("Hello"), CONFIG.beams(3));
        assertEquals(List.of(FinishReason.LENGTH), ends());
        assertEquals(3, reports.get(0).newTokens());
    }

    @Test
    void anAnswerThatItsListenerEndsIsCancelled() {
        assertThrows(
                CancellationException.class,
                () -> model.generate(
                        Prompt.of("Hello"),
                        CONFIG,
                        chunk -> {
                            throw new CancellationException("of the listener's own");
                        },
                        null));
        assertEquals(List.of(FinishReason.CANCELLED), ends());
        assertEquals(1, reports.get(0).newTokens());
    }

    @Test
    void aFailureIsNamed() {
        for (int beams : List.of(1, 3)) {
            reports.clear();
            InternVL closing = InternVL.load(
                    TestData.root().resolve("hermes-d128"),
                    LoadOptions.defaults().threads(1));
            closing.addRequestListener(listener);
            Thread closer = new Thread(() -> {
                while (closing.counts().passes() == 0) {
                    Thread.onSpinWait();
                }
                closing.close();
            });
            closer.start();
            GenerationConfig endless = GenerationConfig.greedy(3_000).beams(beams);
            assertThrows(ClosedException.class, () -> closing.generate(Prompt.of("Hello"), endless));
            assertInstanceOf(ClosedException.class, reports.get(0).failure());
            assertEquals(1, reports.size());
        }
    }

    @Test
    void whoIsTakenAwayHearsNothing() {
        model.removeRequestListener(listener);
        model.generate(Prompt.of("Hello"), CONFIG);
        assertEquals(List.of(), reports);
    }

    @Test
    void aListenersMistakeCostsNobodyAnAnswer() {
        model.removeRequestListener(listener);
        model.addRequestListener(report -> {
            throw new IllegalStateException("a mistake, which is logged");
        });
        model.addRequestListener(listener);
        assertEquals(3, model.generate(Prompt.of("Hello"), CONFIG).tokens().size());
        assertEquals(1, reports.size());
    }
}
