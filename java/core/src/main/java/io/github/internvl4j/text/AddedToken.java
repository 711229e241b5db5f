package io.github.internvl4j.text;

/**
 * A token that is cut out of a text before anything else happens to it; transformers' class of the same name.
 *
 * @param content its text
 * @param lstrip whether it swallows the whitespace to its left
 * @param rstrip whether it swallows the whitespace to its right
 * @param singleWord whether it counts only as a word of its own
 * @param normalized whether fast tokenizers look for it after the normalizer; slow ones never ask
 * @param special whether fast tokenizers skip it when they decode; slow ones never ask
 */
record AddedToken(
        String content, boolean lstrip, boolean rstrip, boolean singleWord, boolean normalized, boolean special) {
    static AddedToken plain(String content) {
        return new AddedToken(content, false, false, false, false, true);
    }

    AddedToken asSpecial() {
        return new AddedToken(content, lstrip, rstrip, singleWord, normalized, true);
    }
}
