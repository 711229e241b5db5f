package io.github.internvl4j.text;

/**
 * A Jinja template's text in one spelling, to compare it with another. What the spellings of one text here have in common is
 * what they give in transformers, which trims blocks: a line end behind a tag, blanks before a tag that begins its line, and
 * white space within tags say nothing; nor do {@code \n} or a line end, and the kind of quotes, in a string.
 */
final class JinjaText {
    private final String text;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private JinjaText(String text) {
        this.text = text;
    }

    static String normalized(String text) {
        String lines = text.replace("\r\n", "\n");
        return new JinjaText(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines).read();
    }

    private String read() {
        while (at < text.length()) {
            if (text.startsWith("{#", at)) {
                int end = text.indexOf("#}", at);
                trimLineStart(text.startsWith("{#-", at));
                at = end < 0 ? text.length() : end + 2;
                skipBehind(end > 0 && text.charAt(end - 1) == '-', true);
            } else if (text.startsWith("{%", at) || text.startsWith("{{", at)) {
                tag();
            } else {
                out.append(text.charAt(at++));
            }
        }
        return out.toString();
    }

    private void tag() {
        boolean block = text.charAt(at + 1) == '%';
        boolean strips = text.startsWith("-", at + 2);
        if (block || strips) {
            trimLineStart(strips);
        }
        String closing = block ? "%}" : "}}";
        out.append(text, at, at + 2);
        at += strips ? 3 : 2;
        while (at < text.length() && !text.startsWith(closing, at) && !text.startsWith("-" + closing, at)) {
            char c = text.charAt(at);
            if (c == '\'' || c == '"') {
                string(c);
            } else {
                if (!Character.isWhitespace(c)) {
                    out.append(c);
                }
                at++;
            }
        }
        boolean stripsBehind = text.startsWith("-", at);
        out.append(closing);
        at = Math.min(text.length(), at + (stripsBehind ? 3 : 2));
        skipBehind(stripsBehind, block);
    }

    private void string(char quote) {
        out.append('\'');
        at++;
        while (at < text.length() && text.charAt(at) != quote) {
            if (text.startsWith("\\n", at)) {
                out.append('\n');
                at += 2;
            } else {
                out.append(text.charAt(at++));
            }
        }
        out.append('\'');
        at++;
    }

    /** Takes back the blanks before a block that begins its line, or all white space. */
    private void trimLineStart(boolean all) {
        int end = out.length();
        if (all || text.substring(text.lastIndexOf('\n', at) + 1, at).isBlank()) {
            while (end > 0 && (all ? Character.isWhitespace(out.charAt(end - 1)) : isBlank(out.charAt(end - 1)))) {
                end--;
            }
            out.setLength(end);
        }
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    private void skipBehind(boolean all, boolean lineEnd) {
        if (all) {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
        } else if (lineEnd && text.startsWith("\n", at)) {
            at++;
        }
    }
}
