package io.github.internvl4j.evaluate;

import java.io.IOException;

/** A file that a data set needs is not there: who has only some of the data sets leaves it out. */
public final class MissingDataException extends IOException {
    private static final long serialVersionUID = 1;

    /** @param missing the file or folder that was expected */
    public MissingDataException(String missing) {
        super("there is no " + missing + "; evaluate --list says what is expected where");
    }
}
