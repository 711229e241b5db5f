package io.github.internvl4j.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Closes connections on which nothing is asked: a client that only holds them would keep others out. */
final class Connections {
    private final Vertx vertx;
    private final Limits.Times times;
    private final Map<HttpConnection, Watch> open = new ConcurrentHashMap<>();

    Connections(Vertx vertx, Limits.Times times) {
        this.vertx = vertx;
        this.times = times;
    }

    /** Used on the connection's event loop alone. */
    private final class Watch {
        private final HttpConnection connection;
        private int requests;
        private long timer = -1;

        Watch(HttpConnection connection) {
            this.connection = connection;
        }

        void await(Duration longest) {
            timer = vertx.setTimer(longest.toMillis(), id -> {
                var ignored = connection.close();
            });
        }

        void stop() {
            vertx.cancelTimer(timer);
        }
    }

    void opened(HttpConnection connection) {
        Watch watch = new Watch(connection);
        open.put(connection, watch);
        watch.await(times.of(Limits.Wait.FIRST_REQUEST));
        connection.closeHandler(nothing -> {
            open.remove(connection);
            watch.stop();
        });
    }

    /** A request has come; an upgrade to HTTP/2 brings its connection along. */
    void began(HttpConnection connection) {
        Watch watch = open.get(connection);
        if (watch != null) {
            watch.stop();
            watch.requests++;
        }
    }

    void ended(HttpConnection connection) {
        Watch watch = open.get(connection);
        if (watch != null && --watch.requests == 0) {
            watch.stop();
            watch.await(times.of(Limits.Wait.NEXT_REQUEST));
        }
    }
}
