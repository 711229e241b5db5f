package io.github.internvl4j.image;

import java.io.IOException;

/** GIF's variable-length LZW (GIF89a, appendix F), read from sub-blocks of at most 255 bytes. */
final class LzwReader {
    private static final int MAX_BITS = 12;
    private static final int TABLE = 1 << MAX_BITS;

    private final ByteSource source;
    private final int firstBits;
    private final int clear;
    private final int end;

    /** Of each code: the last value of its string, and the code of the string before it. */
    private final byte[] last = new byte[TABLE];

    private final short[] before = new short[TABLE];

    /** A string being written from its end; what is not yet handed out begins at {@link #stackTop}. */
    private final byte[] stack = new byte[TABLE + 1];

    private int stackTop = stack.length;
    private int blockLeft;
    private int bits;
    private int bitCount;
    private int codeBits;
    private int next;
    private int previous = -1;
    private byte first;

    /**
     * A reader of the data at the source's position, which begin with the code size.
     *
     * @param source the file
     * @throws IOException if the code size is impossible or the file ends
     */
    LzwReader(ByteSource source) throws IOException {
        this.source = source;
        int depth = source.u8();
        if (depth < 1 || depth >= MAX_BITS) {
            throw new IOException("its code size " + depth + " is impossible");
        }
        firstBits = depth + 1;
        clear = 1 << depth;
        end = clear + 1;
        for (int i = 0; i < clear; i++) {
            last[i] = (byte) i;
        }
        restart();
    }

    private void restart() {
        codeBits = firstBits;
        next = clear + 2;
        previous = -1;
    }

    /**
     * Fills a row with values.
     *
     * @param row the row
     * @throws IOException if the data are damaged or end before the row does
     */
    void read(byte[] row) throws IOException {
        int have = 0;
        while (have < row.length) {
            if (stackTop == stack.length) {
                expand();
                continue;
            }
            int count = Math.min(row.length - have, stack.length - stackTop);
            System.arraycopy(stack, stackTop, row, have, count);
            stackTop += count;
            have += count;
        }
    }

    /** Reads one code and puts its string on the stack. */
    private void expand() throws IOException {
        int code = nextCode();
        if (code == clear) {
            restart();
            return;
        }
        if (code == end) {
            throw new IOException("its pixels end early");
        }
        if (code > next || previous < 0 && code >= clear) {
            throw new IOException("its compressed pixels are damaged");
        }
        int walk = code;
        if (code == next) { // the string before it, with its own first value once more
            stack[--stackTop] = first;
            walk = previous;
        }
        while (walk >= clear) {
            stack[--stackTop] = last[walk];
            walk = before[walk];
        }
        first = last[walk];
        stack[--stackTop] = first;
        if (previous >= 0 && next < TABLE) {
            last[next] = first;
            before[next] = (short) previous;
            next++;
            if (next == 1 << codeBits && codeBits < MAX_BITS) {
                codeBits++;
            }
        }
        previous = code;
    }

    private int nextCode() throws IOException {
        while (bitCount < codeBits) {
            while (blockLeft == 0) {
                blockLeft = source.u8();
                if (blockLeft > source.remaining()) {
                    throw ByteSource.truncated();
                }
                if (blockLeft == 0) {
                    throw new IOException("its pixels end early");
                }
            }
            bits |= source.u8() << bitCount;
            bitCount += 8;
            blockLeft--;
        }
        int code = bits & (1 << codeBits) - 1;
        bits >>>= codeBits;
        bitCount -= codeBits;
        return code;
    }
}
