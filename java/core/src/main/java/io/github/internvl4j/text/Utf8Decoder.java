package io.github.internvl4j.text;

/**
 * Turns bytes into text while they come. Of bytes that are no character, every longest beginning of one becomes a
 * U+FFFD, as in Python and Rust (and as Unicode advises); Java's own decoder counts otherwise. Not for use by several
 * threads.
 */
final class Utf8Decoder {
    private int character;
    /** How many bytes the character still needs. */
    private int missing;
    /** The range of the next byte. */
    private int low;

    private int high;

    void accept(int value, StringBuilder out) {
        if (missing > 0) {
            if (value >= low && value <= high) {
                character = character << 6 | value & 0x3F;
                low = 0x80;
                high = 0xBF;
                if (--missing == 0) {
                    out.appendCodePoint(character);
                }
                return;
            }
            finish(out);
        }
        begin(value, out);
    }

    private void begin(int value, StringBuilder out) {
        low = 0x80;
        high = 0xBF;
        if (value < 0x80) {
            out.append((char) value);
        } else if (value >= 0xC2 && value <= 0xDF) {
            missing = 1;
            character = value & 0x1F;
        } else if (value >= 0xE0 && value <= 0xEF) {
            missing = 2;
            character = value & 0x0F;
            low = value == 0xE0 ? 0xA0 : 0x80; // nothing longer than it need be,
            high = value == 0xED ? 0x9F : 0xBF; // no surrogates,
        } else if (value >= 0xF0 && value <= 0xF4) {
            missing = 3;
            character = value & 0x07;
            low = value == 0xF0 ? 0x90 : 0x80;
            high = value == 0xF4 ? 0x8F : 0xBF; // nothing beyond U+10FFFF
        } else {
            out.append('\uFFFD');
        }
    }

    /** Ends the text, or a character that does not go on. */
    void finish(StringBuilder out) {
        if (missing > 0) {
            missing = 0;
            out.append('\uFFFD');
        }
    }
}
