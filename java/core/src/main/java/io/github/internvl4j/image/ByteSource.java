package io.github.internvl4j.image;

import java.io.EOFException;
import java.util.Arrays;

/** A cursor over the bytes of a file. Reading past the end is an {@link EOFException}, "the file is truncated". */
final class ByteSource {
    private final byte[] bytes;
    private int position;

    ByteSource(byte[] bytes) {
        this.bytes = bytes;
    }

    byte[] array() {
        return bytes;
    }

    int length() {
        return bytes.length;
    }

    int position() {
        return position;
    }

    int remaining() {
        return bytes.length - position;
    }

    /** Moves to a place in the file; the end itself is allowed. */
    void seek(long to) throws EOFException {
        if (to < 0 || to > bytes.length) {
            throw truncated();
        }
        position = (int) to;
    }

    /** Moves over bytes that must be there, and says where they began. */
    int skip(long count) throws EOFException {
        if (count < 0 || count > remaining()) {
            throw truncated();
        }
        int begin = position;
        position += (int) count;
        return begin;
    }

    int u8() throws EOFException {
        return bytes[skip(1)] & 0xff;
    }

    int u16le() throws EOFException {
        int at = skip(2);
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8;
    }

    int u16be() throws EOFException {
        int at = skip(2);
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    long u32le() throws EOFException {
        return u16le() | (long) u16le() << 16;
    }

    long u32be() throws EOFException {
        return (long) u16be() << 16 | u16be();
    }

    int i32le() throws EOFException {
        return (int) u32le();
    }

    byte[] bytes(long count) throws EOFException {
        int from = skip(count);
        return Arrays.copyOfRange(bytes, from, position);
    }

    /** A copy of bytes elsewhere that are known to be there. */
    byte[] copy(int from, long count) {
        return Arrays.copyOfRange(bytes, from, from + (int) count);
    }

    /** Whether these byte values stand at a place; false if the file ends before. */
    boolean startsWith(int at, int... values) {
        if (at + values.length > bytes.length) {
            return false;
        }
        for (int i = 0; i < values.length; i++) {
            if ((bytes[at + i] & 0xff) != values[i]) {
                return false;
            }
        }
        return true;
    }

    static EOFException truncated() {
        return new EOFException("the file is truncated");
    }
}
