package io.github.internvl4j.text;

import io.github.internvl4j.text.SentencePieceModel.Normalization;

/**
 * Turns pieces into text as sentencepiece's {@code Decode} does, one piece at a time: the text of all {@link #accept}
 * calls and of {@link #finish}, put together, is what sentencepiece gives for the whole list. Bytes wait until they are
 * a character or cannot become one; a byte that belongs to no character becomes U+FFFD, each one for itself. Not for
 * use by several threads.
 */
final class PieceDecoder {
    private final SentencePieceModel model;
    private final byte[] bytes = new byte[4];
    private int byteCount;
    private boolean atStart = true;
    private boolean startSpaceSeen;
    private boolean empty = true;

    PieceDecoder(SentencePieceModel model) {
        this.model = model;
    }

    void accept(String piece, StringBuilder out) {
        int before = out.length();
        int id = model.pieceId(piece);
        switch (model.piece(id).type()) {
            case BYTE -> {
                bytes[byteCount++] = (byte) SentencePieceModel.byteOf(piece);
                drain(out, false);
            }
            case CONTROL -> {
                startPiece(out);
                startSpaceSeen = false;
            }
            case UNKNOWN -> {
                startPiece(out);
                startSpaceSeen = false;
                out.append(piece.equals(model.piece(id).text()) ? model.unknownSurface() : piece);
            }
            default -> {
                startPiece(out);
                Normalization rules = model.normalization();
                startSpaceSeen = false;
                int from = 0;
                if (atStart
                        && (rules.addDummyPrefix() || rules.removeExtraWhitespaces())
                        && piece.startsWith(SentencePieceModel.SPACE)) {
                    from = 1;
                    startSpaceSeen = !rules.removeExtraWhitespaces();
                }
                out.append(piece.substring(from).replace(SentencePieceModel.SPACE, " "));
            }
        }
        empty &= out.length() == before;
    }

    void finish(StringBuilder out) {
        drain(out, true);
    }

    private void startPiece(StringBuilder out) {
        int before = out.length();
        drain(out, true);
        empty &= out.length() == before;
        if (startSpaceSeen || !empty) {
            atStart = false;
        }
    }

    private void drain(StringBuilder out, boolean complete) {
        while (byteCount > 0) {
            int length = expectedLength(bytes[0]);
            int character = -1;
            if (length > 0 && length <= byteCount) {
                character = character(length);
            } else if (length > byteCount && !complete && onlyContinuations()) {
                return;
            }
            int consumed = character < 0 ? 1 : length;
            out.appendCodePoint(character < 0 ? 0xFFFD : character);
            System.arraycopy(bytes, consumed, bytes, 0, byteCount - consumed);
            byteCount -= consumed;
        }
    }

    private boolean onlyContinuations() {
        for (int i = 1; i < byteCount; i++) {
            if ((bytes[i] & 0xC0) != 0x80) {
                return false;
            }
        }
        return true;
    }

    private static int expectedLength(byte first) {
        if (first >= 0) {
            return 1;
        }
        return (first & 0xE0) == 0xC0 ? 2 : (first & 0xF0) == 0xE0 ? 3 : (first & 0xF8) == 0xF0 ? 4 : 0;
    }

    /** The code point that the first bytes encode, or -1 if they do not ({@code DecodeUTF8} of sentencepiece). */
    private int character(int length) {
        if (length == 1) {
            return bytes[0];
        }
        int value = bytes[0] & 0xFF >> length + 1;
        for (int i = 1; i < length; i++) {
            if ((bytes[i] & 0xC0) != 0x80) {
                return -1;
            }
            value = value << 6 | bytes[i] & 0x3F;
        }
        int least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
        boolean surrogate = value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE;
        return value < least || value > Character.MAX_CODE_POINT || surrogate ? -1 : value;
    }
}
