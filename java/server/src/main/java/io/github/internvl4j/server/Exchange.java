package io.github.internvl4j.server;

import io.github.internvl4j.server.openai.JsonText;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response, for any thread: what is written goes to the connection's event loop and waits there for its reader,
 * so that nobody who computes waits for a socket. Tells when the client has left, also while nothing is written.
 */
final class Exchange {
    private static final String JSON = "application/json";

    private final Vertx vertx;
    private final Context context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Limits.Times times;
    private final String caller;
    private final long arrived = System.nanoTime();
    private final List<Runnable> leaving = new ArrayList<>();
    private final List<Runnable> ending = new ArrayList<>();
    private final StringBuilder unsent = new StringBuilder();
    private boolean sending;
    private boolean gone;
    private boolean ended;
    private volatile long written = System.nanoTime();
    private long stalled; // since when; 0: it takes what it gets

    /** @param caller as {@link Gate#caller} names it */
    Exchange(Vertx vertx, HttpServerRequest request, Limits.Times times, String caller) {
        this.vertx = vertx;
        this.request = request;
        this.times = times;
        this.caller = caller;
        context = vertx.getOrCreateContext();
        response = request.response();
        response.closeHandler(nothing -> leave());
        response.exceptionHandler(failure -> leave());
        request.exceptionHandler(failure -> leave());
    }

    /** When it came. */
    long arrived() {
        return arrived;
    }

    String caller() {
        return caller;
    }

    HttpServerRequest request() {
        return request;
    }

    /** Runs something when the client leaves before the answer's end; at once if it has. */
    void onLeave(Runnable action) {
        synchronized (this) {
            if (!gone) {
                leaving.add(action);
                return;
            }
        }
        action.run();
    }

    /** Runs something when nothing can be answered any more: after the answer, or when the client has left. */
    void onEnd(Runnable action) {
        synchronized (this) {
            if (!gone && !ended) {
                ending.add(action);
                return;
            }
        }
        action.run();
    }

    private void leave() {
        List<Runnable> told;
        synchronized (this) {
            if (gone || ended) {
                return;
            }
            gone = true;
            told = new ArrayList<>(leaving);
            told.addAll(ending);
        }
        told.forEach(Runnable::run);
    }

    /** Whether the client has left. */
    synchronized boolean gone() {
        return gone;
    }

    /** Answers with JSON. */
    void json(int status, Object value) {
        finish(status, JSON, Buffer.buffer(JsonText.text(value)), 0);
    }

    /** Answers with something else. */
    void body(String type, Buffer content) {
        finish(200, type, content, 0);
    }

    void fail(Throwable failure) {
        ApiError error = ApiError.of(failure);
        finish(error.status(), JSON, Buffer.buffer(JsonText.text(error.body())), error.retryAfter());
    }

    private void finish(int status, String type, Buffer content, int retryAfter) {
        context.runOnContext(nothing -> {
            if (!end()) {
                return;
            }
            response.setStatusCode(status).putHeader("Content-Type", type);
            if (retryAfter > 0) {
                response.putHeader("Retry-After", String.valueOf(retryAfter));
            }
            close(response.end(content));
        });
    }

    /** Whether this is the end: there is one, and none when nobody is there. */
    private boolean end() {
        synchronized (this) {
            if (ended || gone) {
                return false;
            }
            ended = true;
        }
        ending.forEach(Runnable::run);
        return !response.ended();
    }

    /** Who does not take the end in time has no connection any more. */
    private void close(Future<Void> end) {
        long timer = vertx.setTimer(
                times.of(Limits.Wait.STALLED).toMillis(),
                id -> request.connection().close());
        end.onComplete(done -> vertx.cancelTimer(timer));
    }

    /** Begins a stream of events. */
    void beginEvents() {
        context.runOnContext(nothing -> {
            if (gone() || response.headWritten()) {
                return;
            }
            response.putHeader("Content-Type", "text/event-stream; charset=utf-8")
                    .putHeader("Cache-Control", "no-cache")
                    .putHeader("X-Accel-Buffering", "no") // nginx would keep the events until they are many
                    .setChunked(true);
            response.drainHandler(drained -> stalled = 0);
            long period = Math.max(1, Math.min(1000, times.of(Limits.Wait.PING).toMillis() / 2));
            vertx.setPeriodic(period, this::watch);
        });
    }

    /** Says that we are alive where there is nothing else to say, and drops who takes nothing. */
    private void watch(long timer) {
        synchronized (this) {
            if (gone || ended) {
                vertx.cancelTimer(timer);
                return;
            }
        }
        long now = System.nanoTime();
        if (!response.writeQueueFull()) {
            stalled = 0;
        } else if (stalled == 0) {
            stalled = now;
        } else if (now - stalled > times.of(Limits.Wait.STALLED).toNanos()) {
            request.connection().close();
            leave();
        }
        if (stalled == 0 && now - written > times.of(Limits.Wait.PING).toNanos()) {
            write(": ping\n\n");
        }
    }

    /** Sends an event: {@code data}, or of a name. */
    void event(@Nullable String name, String data) {
        StringBuilder event = new StringBuilder();
        if (name != null) {
            event.append("event: ").append(name).append('\n');
        }
        write(event.append("data: ").append(data).append("\n\n").toString());
    }

    /** Events that come together go together. */
    private void write(String text) {
        synchronized (this) {
            if (gone || ended) {
                return;
            }
            unsent.append(text);
            if (sending) {
                return;
            }
            sending = true;
        }
        context.runOnContext(nothing -> send());
    }

    private void send() {
        Buffer buffer = unsent();
        if (buffer.length() > 0 && !gone() && !response.ended()) {
            var ignored = response.write(buffer);
            written = System.nanoTime();
        }
    }

    private synchronized Buffer unsent() {
        sending = false;
        Buffer buffer = Buffer.buffer(unsent.toString().getBytes(StandardCharsets.UTF_8));
        unsent.setLength(0);
        return buffer;
    }

    /** Ends a stream of events. */
    void endEvents() {
        context.runOnContext(nothing -> {
            send();
            if (end()) {
                close(response.end());
            }
        });
    }
}
