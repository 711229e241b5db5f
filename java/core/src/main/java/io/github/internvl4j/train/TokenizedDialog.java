package io.github.internvl4j.train;

import java.util.Arrays;

/**
 * A dialog as token ids, and which of them are learnt.
 *
 * @param ids token ids
 * @param labels the id where a token is learnt, else {@link #IGNORED}
 */
record TokenizedDialog(int[] ids, int[] labels) {
    /** Not learnt. */
    static final int IGNORED = -100;

    /** How many tokens are learnt: the first has none before it to be told from. */
    int learnt() {
        return (int)
                Arrays.stream(labels).skip(1).filter(label -> label != IGNORED).count();
    }
}
