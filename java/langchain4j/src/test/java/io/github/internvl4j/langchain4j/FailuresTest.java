package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.NativeLibraryException;
import io.github.internvl4j.error.NotFiniteException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.error.VideoException;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** Only what passes by itself is asked again. */
class FailuresTest {
    private static void assertBecomes(Class<? extends RuntimeException> type, InternVLException failure) {
        RuntimeException theirs = Failures.of(failure);
        assertEquals(type, theirs.getClass());
        assertEquals(failure.getMessage(), theirs.getMessage());
        assertSame(failure, theirs.getCause());
    }

    @Test
    void everyFailureOfTheLibraryHasOneOfLangChain4j() {
        assertBecomes(InvalidRequestException.class, new InvalidOptionException("a"));
        assertBecomes(InvalidRequestException.class, new PromptException("a"));
        assertBecomes(InvalidRequestException.class, new ContextLengthException("a"));
        assertBecomes(InvalidRequestException.class, new ImageException("a"));
        assertBecomes(InvalidRequestException.class, new VideoException("a"));
        assertBecomes(RateLimitException.class, new BusyException("a"));
        assertBecomes(InternalServerException.class, new InsufficientMemoryException("a"));
        assertBecomes(NonRetriableException.class, new ClosedException("a"));
        assertBecomes(NonRetriableException.class, new NotFiniteException("a"));
        assertBecomes(NonRetriableException.class, new NativeLibraryException("a"));
        assertBecomes(NonRetriableException.class, new CheckpointException("a"));
        assertBecomes(NonRetriableException.class, new UnsupportedModelException("a"));
        assertBecomes(NonRetriableException.class, new HubException("a"));
        assertBecomes(NonRetriableException.class, new InternVLException("a"));
    }

    @Test
    void othersFailuresStayWhatTheyAre() {
        Throwable full = new RejectedExecutionException("full");
        assertEquals(RateLimitException.class, Failures.of(full).getClass());
        assertSame(full, Failures.of(full).getCause());
        Throwable noThread = new OutOfMemoryError("unable to create native thread");
        assertEquals(InternalServerException.class, Failures.of(noThread).getClass());
        assertSame(noThread, Failures.of(noThread).getCause());
        Throwable other = new IllegalStateException("a");
        assertSame(other, Failures.of(other));
    }
}
