package io.github.internvl4j.train;

/** MT19937, the generator behind {@code torch.manual_seed} on a CPU (Matsumoto and Nishimura, 1998). */
final class MersenneTwister {
    private static final int SIZE = 624;
    private static final int SHIFT = 397;
    private static final int MATRIX = 0x9908b0df;
    private static final int UPPER = 0x80000000;

    private final int[] state = new int[SIZE];
    private int next = SIZE;

    /** @param seed its low 32 bits count, as in PyTorch */
    MersenneTwister(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < SIZE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
    }

    /** The next 32 bits, as an unsigned number. */
    long next32() {
        if (next == SIZE) {
            regenerate();
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        y ^= y >>> 18;
        return Integer.toUnsignedLong(y);
    }

    private void regenerate() {
        for (int i = 0; i < SIZE; i++) {
            int y = state[i] & UPPER | state[(i + 1) % SIZE] & ~UPPER;
            state[i] = state[(i + SHIFT) % SIZE] ^ y >>> 1 ^ ((y & 1) == 0 ? 0 : MATRIX);
        }
        next = 0;
    }

    /** {@code torch.randperm}: 0 to count - 1 in a random order. */
    int[] permutation(int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            order[i] = i;
        }
        for (int i = 0; i < count - 1; i++) {
            int other = i + (int) (next32() % (count - i));
            int here = order[i];
            order[i] = order[other];
            order[other] = here;
        }
        return order;
    }
}
