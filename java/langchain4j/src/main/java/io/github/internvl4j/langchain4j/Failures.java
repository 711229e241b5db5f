package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.VideoException;
import java.util.concurrent.RejectedExecutionException;

/**
 * The library's exceptions as LangChain4j's, with their messages and themselves as the cause. LangChain4j asks again after those
 * that are retriable: these are what passes by itself, other requests that take the memory or the threads.
 */
final class Failures {
    private Failures() {}

    static Throwable of(Throwable failure) {
        if (failure instanceof InternVLException ours) {
            return of(ours);
        }
        if (failure instanceof RejectedExecutionException) {
            return new RateLimitException("the answer was not begun: the executor takes no more now", failure);
        }
        if (failure instanceof OutOfMemoryError) { // of a thread, say
            return new InternalServerException("memory is short: " + failure.getMessage(), failure);
        }
        return failure;
    }

    static RuntimeException of(InternVLException failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof InvalidOptionException
                || failure instanceof PromptException // a context that is too long, too
                || failure instanceof ImageException
                || failure instanceof VideoException) {
            return new InvalidRequestException(message, failure);
        }
        if (failure instanceof BusyException) {
            return new RateLimitException(message, failure);
        }
        if (failure instanceof InsufficientMemoryException) {
            return new InternalServerException(message, failure);
        }
        // A closed model, one that computes no numbers, a library that is broken: the next try would end alike.
        return new NonRetriableException(message, failure);
    }
}
