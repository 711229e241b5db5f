package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.runtime.CalibrationRequest;
import java.util.Iterator;

/** Prompts as the runtime takes them, each made when its turn comes. */
final class CalibrationRequests implements Iterator<CalibrationRequest> {
    private final PromptReader reader;
    private final Iterator<Prompt> prompts;
    private int asked;

    CalibrationRequests(PromptReader reader, Iterator<Prompt> prompts) {
        this.reader = reader;
        this.prompts = prompts;
    }

    @Override
    public boolean hasNext() {
        boolean more = prompts.hasNext();
        if (!more && asked == 0) {
            throw new PromptException("the calibration has no prompts, expected at least one");
        }
        return more;
    }

    @Override
    public CalibrationRequest next() {
        Prompt prompt = prompts.next();
        asked++;
        try {
            return new CalibrationRequest(
                    reader.tokens(prompt),
                    reader.imageToken(),
                    prompt.images().isEmpty() ? null : reader.pixels(prompt));
        } catch (InternVLException e) {
            throw new PromptException("prompt " + asked + " of the calibration: " + e.getMessage(), e);
        }
    }
}
