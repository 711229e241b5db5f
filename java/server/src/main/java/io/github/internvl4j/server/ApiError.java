package io.github.internvl4j.server;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.server.openai.FieldException;
import java.io.Serial;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** What a client is told when it gets no answer: an HTTP status and OpenAI's error body. */
final class ApiError extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final String INVALID = "invalid_request_error";

    private final int status;
    private final String type;
    private final @Nullable String param;
    private final @Nullable String code;
    private final int retryAfter;

    /** @param retryAfter seconds after which to come back; 0 says nothing */
    private ApiError(
            int status, String type, @Nullable String param, @Nullable String code, int retryAfter, String message) {
        super(message, null, false, false); // it tells a client, not where it happened
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
        this.retryAfter = retryAfter;
    }

    static ApiError invalid(String param, String message) {
        return new ApiError(400, INVALID, param, null, 0, message);
    }

    static ApiError unauthorized() {
        return new ApiError(
                401,
                "authentication_error",
                null,
                "invalid_api_key",
                0,
                "no API key of this server came with the request; expected the header Authorization: Bearer KEY");
    }

    static ApiError forbidden(String message) {
        return new ApiError(403, "permission_error", null, null, 0, message);
    }

    static ApiError unknownPath(String path) {
        return new ApiError(404, INVALID, null, "unknown_url", 0, "there is nothing at " + path);
    }

    static ApiError unknownModel(String asked, String served) {
        return new ApiError(
                404,
                INVALID,
                "model",
                "model_not_found",
                0,
                "the model " + asked + " is not served here; expected " + served);
    }

    static ApiError method(String expected) {
        return new ApiError(405, INVALID, null, null, 0, "expected the method " + expected);
    }

    static ApiError tooSlow() {
        return new ApiError(408, INVALID, null, null, 0, "the request's body did not come in time");
    }

    static ApiError tooLarge() {
        return new ApiError(
                413,
                INVALID,
                null,
                null,
                0,
                "the request's body is too large, expected at most " + Limits.BODY_BYTES + " bytes");
    }

    static ApiError queueFull() {
        return new ApiError(
                429,
                "rate_limit_error",
                null,
                "queue_full",
                1,
                "too many requests wait already; come back in a moment");
    }

    static ApiError loading() {
        return new ApiError(503, "unavailable_error", null, "loading", 5, "the model is being loaded");
    }

    static ApiError draining() {
        return new ApiError(503, "unavailable_error", null, "draining", 10, "the server is about to end");
    }

    static ApiError busy() {
        return new ApiError(
                503, "unavailable_error", null, "busy", 2, "too much is being read at once; come back in a moment");
    }

    static ApiError expired() {
        return new ApiError(504, "timeout_error", null, "deadline_exceeded", 0, "the answer took too long");
    }

    /** What a failure is to a client. What is the server's own fault is logged, and told in general. */
    static ApiError of(Throwable failure) {
        if (failure instanceof CompletionException wrapped && wrapped.getCause() != null) {
            return of(wrapped.getCause());
        }
        if (failure instanceof ApiError error) {
            return error;
        }
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof ContextLengthException) {
            return new ApiError(400, INVALID, "messages", "context_length_exceeded", 0, message);
        }
        if (failure instanceof FieldException field) {
            return new ApiError(400, INVALID, field.field().isEmpty() ? null : field.field(), null, 0, message);
        }
        if (failure instanceof PromptException
                || failure instanceof ImageException
                || failure instanceof InvalidOptionException) {
            return new ApiError(400, INVALID, null, null, 0, message);
        }
        if (failure instanceof ClosedException) {
            return draining();
        }
        if (failure instanceof InsufficientMemoryException || failure instanceof OutOfMemoryError) {
            return new ApiError(
                    503, "unavailable_error", null, "out_of_memory", 2, "there is no memory for the request now");
        }
        System.getLogger("io.github.internvl4j.server").log(Level.ERROR, "a request failed", failure);
        return new ApiError(500, "server_error", null, null, 0, "the server failed; its log says why");
    }

    int status() {
        return status;
    }

    int retryAfter() {
        return retryAfter;
    }

    Map<String, Object> body() {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("message", getMessage());
        told.put("type", type);
        told.put("param", param);
        told.put("code", code);
        return Map.of("error", told);
    }
}
