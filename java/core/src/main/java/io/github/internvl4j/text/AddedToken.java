package io.github.internvl4j.text;

/**
 * A token that is cut out of a text before anything else happens to it; transformers' class of the same name.
 *
 * @param content its text
 * @param lstrip whether it swallows the whitespace to its left
 * @param rstrip whether it swallows the whitespace to its right
 * @param singleWord whether it counts only with spaces around it
 */
record AddedToken(String content, boolean lstrip, boolean rstrip, boolean singleWord) {
    static AddedToken plain(String content) {
        return new AddedToken(content, false, false, false);
    }
}
