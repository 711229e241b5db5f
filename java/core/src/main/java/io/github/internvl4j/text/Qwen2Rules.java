package io.github.internvl4j.text;

import java.text.Normalizer;
import java.util.Set;

/**
 * {@code Qwen2Tokenizer}: byte-level BPE over text in NFC; what it decodes is joined without spaces. How the combining
 * marks that Unicode got after version 13 are put in order depends on the Java this runs on, as on the Python there.
 */
final class Qwen2Rules implements SlowRules {
    private final ByteLevelEncoder encoder;
    private final ByteLevelEncoder literalEncoder;

    Qwen2Rules(ByteLevelModel model, SlowAddedTokens added) {
        WordSplitter splitter = new WordSplitter(1, UnicodeLetters.UNICODE_18);
        encoder = new ByteLevelEncoder(model, splitter, Set.of());
        literalEncoder = new ByteLevelEncoder(model, splitter, added.ids());
    }

    @Override
    public String prepare(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    @Override
    public void encode(String stretch, boolean literal, IntList out) {
        (literal ? literalEncoder : encoder).encode(stretch, out);
    }

    @Override
    public String separator() {
        return "";
    }

    @Override
    public boolean cleansUpSpaces() {
        return false; // its decode() says so to the one it overrides
    }

    @Override
    public RunDecoder newRun(boolean special) {
        return new Run();
    }

    private static final class Run implements RunDecoder {
        private final Utf8Decoder decoder = new Utf8Decoder();

        @Override
        public void accept(String token, StringBuilder out) {
            for (byte value : ByteAlphabet.read(token)) {
                decoder.accept(value & 0xFF, out);
            }
        }

        @Override
        public void finish(StringBuilder out) {
            decoder.finish(out);
        }
    }
}
