package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThinkingStreamTest {
    @Provide
    Arbitrary<List<String>> chunks() {
        return Arbitraries.of(
                        "<think>",
                        "</think>",
                        "<",
                        "</",
                        "th",
                        "ink",
                        ">",
                        "think>",
                        "<thi",
                        "nk>",
                        "</think",
                        "a",
                        "B ",
                        " ",
                        "\n",
                        "")
                .list()
                .ofMaxSize(20);
    }

    /** The plain way: over the whole text, from mark to mark. */
    private static ThinkingStream.Parts parted(String whole) {
        StringBuilder thinking = new StringBuilder();
        StringBuilder text = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < whole.length(); ) {
            String mark = inside ? ThinkingStream.END : ThinkingStream.BEGIN;
            if (whole.startsWith(mark, i)) {
                inside = !inside;
                i += mark.length();
            } else {
                (inside ? thinking : text).append(whole.charAt(i++));
            }
        }
        return new ThinkingStream.Parts(PythonText.strip(thinking.toString()), PythonText.strip(text.toString()));
    }

    @Property(tries = 3000)
    void anyChunksPartAsTheWholeTextDoes(@ForAll("chunks") List<String> chunks) {
        ThinkingStream stream = new ThinkingStream();
        StringBuilder thinking = new StringBuilder();
        StringBuilder text = new StringBuilder();
        for (String chunk : chunks) {
            ThinkingStream.Parts parts = stream.accept(chunk);
            thinking.append(parts.thinking());
            text.append(parts.text());
            assertEquals(stream.text(), text.toString(), "what was told so far");
        }
        ThinkingStream.Parts rest = stream.finish();
        ThinkingStream.Parts whole = parted(String.join("", chunks));
        assertEquals(whole, new ThinkingStream.Parts(thinking + rest.thinking(), text + rest.text()));
        assertEquals(whole, new ThinkingStream.Parts(stream.thinking(), stream.text()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<think> a b </think> yes|a b|yes",
                "Well. <think>a</think>yes|a|Well. yes",
                "<think>it is cut|it is cut|''",
                "<think>a</thin|a</thin|''",
                "no thought|''|no thought",
                "nothing began </think> it|''|nothing began </think> it",
                "<think></think>yes|''|yes",
                "<think>a <think> b</think>c <think>d</think>|a <think> bd|c",
                "a <thin> b <|''|a <thin> b <"
            })
    void whatIsThought(String whole, String thinking, String text) {
        ThinkingStream stream = new ThinkingStream();
        stream.accept(whole);
        stream.finish();
        assertEquals(
                new ThinkingStream.Parts(thinking, text), new ThinkingStream.Parts(stream.thinking(), stream.text()));
    }
}
