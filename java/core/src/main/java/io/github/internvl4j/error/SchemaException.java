package io.github.internvl4j.error;

import java.util.Objects;

/** A JSON schema cannot be used: the message says what was found, and what is supported or would help. */
public class SchemaException extends InvalidOptionException {
    private static final long serialVersionUID = 1L;

    private final String pointer;

    /**
     * @param message what is wrong, where, and what was expected
     * @param pointer where it stands in the schema, as a JSON pointer (RFC 6901); empty for the whole
     */
    public SchemaException(String message, String pointer) {
        super(message);
        this.pointer = Objects.requireNonNull(pointer, "pointer");
    }

    /** Where it stands in the schema: {@code /properties/name/multipleOf}; empty for the whole. */
    public String pointer() {
        return pointer;
    }

    /** The keyword that cannot be used, the pointer's last part: {@code multipleOf}; empty for the whole schema. */
    public String keyword() {
        return pointer.substring(pointer.lastIndexOf('/') + 1);
    }
}
