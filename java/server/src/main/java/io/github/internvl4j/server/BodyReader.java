package io.github.internvl4j.server;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.function.Consumer;

/** Reads bodies on the event loop, none too large, none for too long, and not too many at once. */
final class BodyReader {
    /** A client that still sends does not read the error before it is done, or gives up. */
    private static final long PATIENCE_MILLIS = 10_000;

    private final Vertx vertx;
    private final Limits.Times times;
    private final Memory memory;

    BodyReader(Vertx vertx, Limits.Times times, Memory memory) {
        this.vertx = vertx;
        this.times = times;
        this.memory = memory;
    }

    /**
     * Reads a body.
     *
     * @param whole gets it on the event loop, and must not keep it waiting; its room is taken until the exchange ends
     */
    void read(Exchange exchange, Consumer<Buffer> whole) {
        HttpServerRequest request = exchange.request();
        Buffer body = Buffer.buffer();
        Reading reading = new Reading(exchange);
        reading.timer = vertx.setTimer(times.of(Limits.Wait.BODY).toMillis(), id -> reading.refuse(ApiError.tooSlow()));
        exchange.onEnd(reading::free);
        request.handler(part -> {
            if (reading.take(part.length())) {
                body.appendBuffer(part);
            }
        });
        request.endHandler(nothing -> {
            if (reading.stop()) {
                whole.accept(body);
            }
        });
        if (announced(request) > Limits.BODY_BYTES) {
            reading.refuse(ApiError.tooLarge());
        }
    }

    private static long announced(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        return length != null && length.matches("\\d{1,18}") ? Long.parseLong(length) : 0;
    }

    private final class Reading {
        private final Exchange exchange;
        private final Memory.Share share = memory.share();
        private long timer;
        private boolean over;

        Reading(Exchange exchange) {
            this.exchange = exchange;
        }

        private boolean take(int more) {
            if (over) {
                return false;
            }
            boolean room = share.take(more);
            if (share.bytes() > Limits.BODY_BYTES || !room) {
                refuse(room ? ApiError.tooLarge() : ApiError.busy());
                return false;
            }
            return true;
        }

        private void refuse(ApiError error) {
            if (stop()) {
                HttpServerRequest request = exchange.request();
                boolean shared = request.version() == HttpVersion.HTTP_2; // by other requests
                if (!shared) {
                    request.response().putHeader("Connection", "close");
                }
                exchange.fail(error);
                vertx.setTimer(PATIENCE_MILLIS, id -> {
                    var ignored = shared
                            ? request.response().reset()
                            : request.connection().close();
                });
            }
        }

        /** Whether it is this that ends the reading. */
        private boolean stop() {
            boolean first = !over;
            over = true;
            vertx.cancelTimer(timer);
            return first;
        }

        /** From any thread. */
        private void free() {
            vertx.cancelTimer(timer);
            share.free();
        }
    }
}
