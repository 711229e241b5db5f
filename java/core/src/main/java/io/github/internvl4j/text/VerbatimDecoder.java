package io.github.internvl4j.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Decodes tokens to the text of their bytes: no space is taken away, whatever the checkpoint asks for. */
final class VerbatimDecoder implements StreamDecoder {
    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] waiting = new byte[0];
    private boolean finished;

    VerbatimDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    @Override
    public String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
        }
        return tokenizer.isSpecial(tokenId) ? "" : decoded(tokenizer.tokenBytes(tokenId), false);
    }

    @Override
    public String finish() {
        if (finished) {
            return "";
        }
        finished = true;
        return decoded(new byte[0], true);
    }

    private String decoded(byte[] more, boolean last) {
        byte[] all = Arrays.copyOf(waiting, waiting.length + more.length);
        System.arraycopy(more, 0, all, waiting.length, more.length);
        ByteBuffer in = ByteBuffer.wrap(all);
        CharBuffer out = CharBuffer.allocate(all.length);
        decoder.decode(in, out, last);
        waiting = Arrays.copyOfRange(all, in.position(), all.length);
        return out.flip().toString();
    }
}
