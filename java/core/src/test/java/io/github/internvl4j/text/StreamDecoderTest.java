package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;

class StreamDecoderTest {
    @Provide
    Arbitrary<Tuple2<Tokenizer, int[]>> answers() {
        return TextArbitraries.tokenizers().flatMap(t -> TextArbitraries.ids(t).map(ids -> Tuple.of(t, ids)));
    }

    @Property(tries = 3000)
    void piecesAreTheTextAndWholeCharacters(@ForAll("answers") Tuple2<Tokenizer, int[]> answer) {
        StreamDecoder decoder = answer.get1().newDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : answer.get2()) {
            String chunk = decoder.accept(id);
            assertEquals(chunk, PythonText.replaceLoneSurrogates(chunk), "a character was split");
            text.append(chunk);
        }
        text.append(decoder.finish());
        assertEquals(answer.get1().decode(answer.get2(), true), text.toString());
        assertEquals("", decoder.finish());
        assertThrows(IllegalStateException.class, () -> decoder.accept(0));
    }

    /** Special tokens make text wait when they are kept; nothing else may differ. */
    @Property(tries = 1000)
    void skippingNothingIsSkippingSpecial(@ForAll("answers") Tuple2<Tokenizer, int[]> answer) {
        Tokenizer tokenizer = answer.get1();
        int[] ids = Arrays.stream(answer.get2())
                .filter(id -> !tokenizer.isSpecial(id))
                .toArray();
        assertEquals(tokenizer.decode(ids, false), tokenizer.decode(ids, true));
    }

    @Example
    void bytesWaitForTheirCharacter() {
        Tokenizer tokenizer = TextTestData.hermes();
        StreamDecoder decoder = tokenizer.newDecoder();
        int[] fox = tokenizer.encode("🦊");
        assertEquals(4, fox.length);
        for (int i = 0; i < 3; i++) {
            assertEquals("", decoder.accept(fox[i]));
        }
        assertEquals("🦊", decoder.accept(fox[3]));
        assertEquals("", decoder.accept(fox[0]));
        assertEquals("", decoder.accept(7), "a special token is not there at all");
        assertEquals("", decoder.accept(fox[1]));
        assertEquals("\uFFFD\uFFFD!", decoder.accept(tokenizer.encode("!")[0]));
        assertEquals("", decoder.accept(fox[0]));
        assertEquals("\uFFFD", decoder.finish());
    }

    @Example
    void anImpossibleByteDoesNotWait() {
        Tokenizer tokenizer = TextTestData.hermes();
        StreamDecoder decoder = tokenizer.newDecoder();
        assertEquals("\uFFFD", decoder.accept(tokenizer.tokenId("<0xFF>").orElseThrow()));
        assertEquals("\uFFFD", decoder.accept(tokenizer.tokenId("<0x80>").orElseThrow()));
        assertEquals("", decoder.accept(tokenizer.tokenId("<0xE4>").orElseThrow()));
        assertEquals("\uFFFDA", decoder.accept(tokenizer.tokenId("<0x41>").orElseThrow()));
    }

    @Provide
    Arbitrary<String> spaced() {
        return Arbitraries.of(" ", "'", ".", "?", "!", ",", "n", "t", "m", "s", "v", "r", "e", "n't", " '", "x")
                .list()
                .ofMaxSize(30)
                .map(parts -> String.join("", parts));
    }

    @Property(tries = 3000)
    void cleaningUpWhileStreaming(@ForAll("spaced") String text, @ForAll Random random) {
        SpaceCleanUp cleanUp = new SpaceCleanUp();
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int end = Math.min(text.length(), at + random.nextInt(5));
            out.append(cleanUp.accept(text.substring(at, end), false));
            at = end;
        }
        out.append(cleanUp.accept("", true));
        assertEquals(SpaceCleanUp.apply(text), out.toString());
        assertFalse(SpaceCleanUp.apply("it 's .").contains(" "));
    }
}
