package io.github.internvl4j.hub;

import java.util.Locale;

/** What others wrote, in messages that a terminal shows. */
final class Shown {
    private static final int LONGEST = 200;
    private static final long KIB = 1024;

    private Shown() {}

    /** One line without control characters, not too long. */
    static String text(String foreign) {
        StringBuilder plain = new StringBuilder();
        foreign.codePoints()
                .limit(LONGEST)
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c)
                .forEach(plain::appendCodePoint);
        return foreign.length() > LONGEST ? plain + "..." : plain.toString();
    }

    /** {@code 4.7 GiB}. */
    static String bytes(long count) {
        String[] units = {"KiB", "MiB", "GiB", "TiB"};
        if (count < KIB) {
            return count + " bytes";
        }
        double value = count;
        int unit = -1;
        while (value >= KIB && unit < units.length - 1) {
            value /= KIB;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
