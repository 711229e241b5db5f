package io.github.internvl4j.text;

/**
 * A text that comes in chunks, without the white space around it: that at its start never comes out, that behind it only when
 * more follows. As Python's {@code strip}. For one thread.
 */
final class TrimmedText {
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder trailingSpace = new StringBuilder();

    /** @return what has become certain; possibly empty */
    String accept(String more) {
        int from = text.length();
        int end = PythonText.stripTrailing(more).length();
        if (end == 0) {
            if (from > 0) {
                trailingSpace.append(more);
            }
            return "";
        }
        String solid = more.substring(0, end);
        text.append(trailingSpace).append(from == 0 ? PythonText.stripLeading(solid) : solid);
        trailingSpace.setLength(0);
        trailingSpace.append(more, end, more.length());
        return text.substring(from);
    }

    /** @return all that came out so far */
    @Override
    public String toString() {
        return text.toString();
    }
}
