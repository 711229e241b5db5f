package io.github.internvl4j.train;

/**
 * What somebody says in a dialog.
 *
 * @param author who
 * @param text what
 */
record Message(Author author, String text) {
    /** Who speaks, by the names that the lines have. */
    enum Author {
        SYSTEM("system"),
        USER("human"),
        MODEL("gpt");

        private final String field;

        Author(String field) {
            this.field = field;
        }

        static Author of(String from) throws BadSampleException {
            for (Author author : values()) {
                if (author.field.equals(from)) {
                    return author;
                }
            }
            throw new BadSampleException("from is \"" + from + "\", expected human or gpt");
        }
    }
}
