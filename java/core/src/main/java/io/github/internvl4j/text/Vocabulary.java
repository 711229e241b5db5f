package io.github.internvl4j.text;

import java.util.OptionalInt;

/** The tokens of a vocabulary file, without the added ones. */
interface Vocabulary {
    /** One more than the highest id; every id below has a token. */
    int size();

    /** The token of an id, as the file writes it. */
    String text(int id);

    /** What the token of an id adds to a text: UTF-8, perhaps only a part of a character. */
    byte[] bytes(int id);

    /** The id of a token. */
    OptionalInt find(String token);
}
