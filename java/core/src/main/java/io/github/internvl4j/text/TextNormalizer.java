package io.github.internvl4j.text;

import io.github.internvl4j.text.SentencePieceModel.Normalization;

/**
 * What sentencepiece does to a text before it cuts it into pieces ({@code normalizer.cc}) when no characters are
 * rewritten: spaces are removed, added and escaped. User-defined pieces are taken whole, as there.
 */
final class TextNormalizer {
    private final Normalization rules;
    private final PrefixTrie userDefined;
    private final String space;

    TextNormalizer(Normalization rules, PrefixTrie userDefined) {
        this.rules = rules;
        this.userDefined = userDefined;
        this.space = rules.escapeWhitespaces() ? SentencePieceModel.SPACE : " ";
    }

    String normalize(String text) {
        boolean trim = rules.removeExtraWhitespaces();
        int i = 0;
        while (trim && i < text.length() && text.charAt(i) == ' ' && chunk(text, i) == 1) {
            i++;
        }
        if (i == text.length()) {
            return "";
        }
        StringBuilder out = new StringBuilder(text.length() + 1);
        if (rules.addDummyPrefix() && !rules.whitespaceAsSuffix()) {
            out.append(space);
        }
        boolean afterSpace = trim;
        while (i < text.length()) {
            int end = i + chunk(text, i);
            int from = i;
            while (afterSpace && from < end && text.charAt(from) == ' ') {
                from++;
            }
            for (int k = from; k < end; k++) {
                char c = text.charAt(k);
                if (c == ' ') {
                    out.append(space);
                } else {
                    out.append(c);
                }
            }
            if (from < end) {
                afterSpace = trim && text.charAt(end - 1) == ' ';
            }
            i = end;
        }
        while (trim && out.length() > 0 && out.charAt(out.length() - 1) == space.charAt(0)) {
            out.setLength(out.length() - 1);
        }
        if (rules.addDummyPrefix() && rules.whitespaceAsSuffix()) {
            out.append(space);
        }
        return out.toString();
    }

    private int chunk(String text, int from) {
        return Math.max(1, userDefined.longestMatch(text, from));
    }
}
