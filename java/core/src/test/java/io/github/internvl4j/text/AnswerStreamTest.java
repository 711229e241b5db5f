package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;

class AnswerStreamTest {
    @Provide
    Arbitrary<Tuple2<Tokenizer, int[]>> answers() {
        return TextArbitraries.tokenizers().flatMap(t -> TextArbitraries.ids(t).map(ids -> Tuple.of(t, ids)));
    }

    @Provide
    Arbitrary<List<String>> stops() {
        return Arbitraries.of("<|im_end|>", "\n", " ", ".", "the", "re", "\uFFFD", "🦊", "  a")
                .list()
                .ofMaxSize(3);
    }

    @Property(tries = 4000)
    void theStreamIsTheAnswer(@ForAll("answers") Tuple2<Tokenizer, int[]> answer, @ForAll("stops") List<String> stops) {
        String expected = AnswerStream.textOf(answer.get1(), answer.get2(), stops);
        AnswerStream stream = new AnswerStream(answer.get1(), stops);
        StringBuilder text = new StringBuilder();
        for (int id : answer.get2()) {
            boolean before = stream.finished();
            String chunk = stream.accept(id);
            assertTrue(!before || chunk.isEmpty());
            text.append(chunk);
            assertTrue(expected.startsWith(text.toString()), () -> "leaked: " + text);
            assertEquals(text.toString(), stream.text());
        }
        assertEquals(stream.finished(), stream.stopString().isPresent());
        text.append(stream.finish());
        assertEquals(expected, text.toString());
        assertEquals(expected, stream.text());
        assertTrue(stream.finished());
        assertEquals("", stream.finish());
    }

    @Property(tries = 1000)
    void oneStopIsTheOriginalExpression(@ForAll("answers") Tuple2<Tokenizer, int[]> answer) {
        String decoded = answer.get1().decode(answer.get2(), true);
        int at = decoded.indexOf("<|im_end|>");
        assertEquals(
                PythonText.strip(at < 0 ? decoded : decoded.substring(0, at)),
                AnswerStream.textOf(answer.get1(), answer.get2(), List.of("<|im_end|>")));
    }

    @Example
    void spacesWait() {
        Tokenizer tokenizer = TextTestData.hermes();
        AnswerStream stream = new AnswerStream(tokenizer, List.of("<|im_end|>", "STOP"));
        for (String silent : List.of("\n", " ", "\u3000")) {
            assertEquals("", feed(stream, tokenizer, silent));
        }
        assertEquals("Hello", feed(stream, tokenizer, "Hello"));
        assertEquals("", feed(stream, tokenizer, "\n\n"));
        assertEquals("\n\nyou ST", feed(stream, tokenizer, "you ST "));
        assertFalse(stream.finished());
        assertEquals("", feed(stream, tokenizer, "STOP me"));
        assertTrue(stream.finished());
        assertEquals("STOP", stream.stopString().orElseThrow());
        assertEquals("Hello\n\nyou ST", stream.text());
    }

    private static String feed(AnswerStream stream, Tokenizer tokenizer, String text) {
        StringBuilder out = new StringBuilder();
        for (int id : tokenizer.encode(text)) {
            out.append(stream.accept(id));
        }
        return out.toString();
    }
}
