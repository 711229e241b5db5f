package io.github.internvl4j.server;

import io.github.internvl4j.server.openai.FieldException;
import io.github.internvl4j.server.openai.JsonText;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One image on its way here. Used on the event loop alone. What it says to its client has nothing that only the server could know: a
 * name that is not known is told from one that leads inside by nobody.
 */
final class Fetch {
    private static final List<String> SCHEMES = List.of("http", "https");

    /** Ports below this, but for HTTP's own, are of other services, to whom a request may mean something, too. */
    private static final int FIRST_OPEN_PORT = 1024;

    private final RemoteImages images;
    private final String url;
    private final String path;
    private final Memory.Share share;
    private final Promise<byte[]> whole = Promise.promise();
    private long timer;
    private int redirects;
    private @Nullable HttpClientRequest request;

    /**
     * @param path where the URL stands in the request
     * @param share of the request in what is held
     */
    Fetch(RemoteImages images, String url, String path, Memory.Share share) {
        this.images = images;
        this.url = url;
        this.path = path;
        this.share = share;
    }

    /** Begins, and tells of the end. */
    Future<byte[]> start() {
        timer = images.context()
                .owner()
                .setTimer(
                        images.longest().toMillis(),
                        id -> fail("did not come within " + images.longest().toSeconds() + " seconds"));
        go(uri(url));
        return whole.future();
    }

    /** Nobody wants it any more. */
    void cancel() {
        fail("is not wanted any more");
    }

    private void fail(String reason) {
        fail(new FieldException(path, "field " + path + ": " + JsonText.shortened(url) + " " + reason));
    }

    private void fail(Throwable failure) {
        if (whole.tryFail(failure)) {
            images.context().owner().cancelTimer(timer);
            abandon(request);
        }
    }

    private static void abandon(@Nullable HttpClientRequest request) {
        if (request != null) {
            var ignored = request.reset();
        }
    }

    private boolean over() {
        return whole.future().isComplete();
    }

    private static @Nullable URI uri(String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            return null;
        }
    }

    /** @param from where the image, or what leads to it, should be; null if that is no URL */
    private void go(@Nullable URI from) {
        String scheme =
                from == null || from.getScheme() == null ? "" : from.getScheme().toLowerCase(Locale.ROOT);
        if (from == null || from.getHost() == null || !SCHEMES.contains(scheme)) {
            fail("is no URL of an image; expected http:// or https://, a host in ASCII letters, and a path");
        } else if (from.getRawUserInfo() != null) {
            fail("has a user or a password, which are sent to nobody; expected a URL without");
        } else if (!images.mayAsk(from.getHost())) {
            fail("leads to a host that --allow-remote-images does not name; send the image as data:TYPE;base64,");
        } else {
            boolean secure = scheme.equals("https");
            int port = from.getPort() < 0 ? secure ? 443 : 80 : from.getPort();
            if (port != 80 && port != 443 && (port < FIRST_OPEN_PORT || port > 65_535)) {
                fail("is at port " + port + "; expected 80, 443, or one from " + FIRST_OPEN_PORT + " on");
                return;
            }
            String host = from.getHost().toLowerCase(Locale.ROOT);
            images.address(host.replaceAll("^\\[|\\]$", ""))
                    .onComplete(address -> ask(from, secure, host, port, address), this::fail);
        }
    }

    private void ask(URI from, boolean secure, String host, int port, @Nullable InetAddress address) {
        if (over()) {
            return;
        }
        if (address == null) {
            fail("has no public address that it could be fetched from; send the image as data:TYPE;base64,");
            return;
        }
        String query = from.getRawQuery() == null ? "" : "?" + from.getRawQuery();
        RequestOptions options = new RequestOptions()
                .setServer(SocketAddress.inetSocketAddress(port, address.getHostAddress()))
                .setHost(host)
                .setPort(port)
                .setSsl(secure)
                .setURI((from.getRawPath().isEmpty() ? "/" : from.getRawPath()) + query)
                .putHeader("User-Agent", "internvl4j")
                .putHeader("Accept", "image/*");
        images.client()
                .request(options)
                .onComplete(ready -> send(from, ready), failure -> fail("could not be fetched: no connection"));
    }

    private void send(URI from, HttpClientRequest ready) {
        if (over()) {
            abandon(ready);
            return;
        }
        request = ready;
        ready.send()
                .onComplete(
                        response -> read(from, response),
                        failure -> fail("could not be fetched: the connection ended"));
    }

    private void read(URI from, HttpClientResponse response) {
        HttpClientRequest sent = request;
        response.exceptionHandler(failure -> {
            if (request == sent) { // one that leads on is given up
                fail("could not be fetched: the connection ended");
            }
        });
        int status = response.statusCode();
        String location = response.getHeader("Location");
        if (status >= 300 && status < 400 && location != null) {
            follow(from, location);
        } else if (status != 200) {
            fail("could not be fetched: its host answered with the status " + status);
        } else {
            Buffer body = Buffer.buffer();
            response.handler(part -> take(body, part));
            response.endHandler(nothing -> {
                if (whole.tryComplete(body.getBytes())) {
                    images.context().owner().cancelTimer(timer);
                }
            });
        }
    }

    private void follow(URI from, String location) {
        HttpClientRequest led = request;
        request = null;
        abandon(led);
        URI to = uri(location);
        if (++redirects > Limits.REDIRECTS) {
            fail("leads on more than " + Limits.REDIRECTS + " times");
        } else {
            go(to == null ? null : from.resolve(to));
        }
    }

    private void take(Buffer body, Buffer part) {
        if (over()) {
            return;
        }
        if (body.length() + part.length() > Limits.FETCHED_BYTES) {
            fail("is larger than " + Limits.FETCHED_BYTES + " bytes, which is the most for an image");
        } else if (!share.take(part.length())) {
            fail(ApiError.busy());
        } else if (share.bytes() > Limits.BODY_BYTES) {
            fail("and the others of the request are larger than " + Limits.BODY_BYTES + " bytes together");
        } else {
            body.appendBuffer(part);
        }
    }
}
