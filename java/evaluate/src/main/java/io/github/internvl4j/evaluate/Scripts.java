package io.github.internvl4j.evaluate;

import io.github.internvl4j.ModelInfo;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The original's evaluation scripts, which changed a few settings from release to release. A model is asked as those of its time do. */
public enum Scripts {
    /** InternVL-Chat-V1-2's: the card's table is theirs. */
    APRIL_2024("2024-04"),
    /** InternVL 2's: {@code <image 1>} stays in MMMU's questions, whose answers have 10 tokens. */
    JULY_2024("2024-07"),
    /** InternVL 2.5's: no beams at any size, and MathVista's answers have 4,096 tokens. */
    NOVEMBER_2024("2024-11");

    private static final long FEWEST_WITHOUT_BEAMS = 20_000_000_000L;
    private static final int BEAMS = 5;

    private final String month;

    Scripts(String month) {
        this.month = month;
    }

    /** Those of a model's time, as far as its template and its tiles tell. */
    public static Scripts of(ModelInfo info) {
        if (info.conversationTemplate().equals("internvl2_5")) {
            return NOVEMBER_2024;
        }
        return info.conversationTemplate().equals("Hermes-2") && !info.tiling().dynamic() ? APRIL_2024 : JULY_2024;
    }

    /**
     * Those of a month, such as {@code 2024-04}.
     *
     * @throws IllegalArgumentException if there are none; the message has those that are
     */
    public static Scripts named(String month) {
        return Arrays.stream(values())
                .filter(one -> one.month.equals(month))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("there are no scripts of " + month + "; there are those of "
                                + Arrays.stream(values()).map(Scripts::toString).collect(Collectors.joining(", "))));
    }

    /** How many beams they search with: several in smaller models without tiles. */
    public int beams(ModelInfo info) {
        boolean search = this != NOVEMBER_2024 && !info.tiling().dynamic() && info.parameters() < FEWEST_WITHOUT_BEAMS;
        return search ? BEAMS : 1;
    }

    /** The month. */
    @Override
    public String toString() {
        return month;
    }
}
