package io.github.internvl4j.evaluate;

/** What MMMU's columns hold. */
final class MmmuFields {
    private MmmuFields() {}

    /** {@code validation_Art_Theory_3}: Art_Theory. */
    static String subject(String id) {
        int first = id.indexOf('_');
        int last = id.lastIndexOf('_');
        return first < last ? id.substring(first + 1, last) : id;
    }
}
