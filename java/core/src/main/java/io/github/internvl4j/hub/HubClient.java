package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;

/** Requests to a hub and to where it leads. The token goes to the hub alone, and only where nobody else can read it. */
final class HubClient {
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int RANGE_NOT_SATISFIABLE = 416;

    private final HubOptions options;
    private final HubErrors errors;
    private final HttpClient client;
    private final String hub;

    HubClient(HubOptions options, ModelName name) {
        this.options = options;
        errors = new HubErrors(options, name);
        hub = Address.origin(options.endpoint());
        // A connection for each file: of HTTP/2's one, they would share the window.
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(options.timeout())
                .build();
    }

    /**
     * An answer that is what was asked for.
     *
     * @param status 200, or with a Range 206 or 416
     * @param said what the hub itself answered, before it led elsewhere: the last one first
     */
    record Answer(int status, HttpHeaders headers, TimedBody body, List<HttpHeaders> said) implements AutoCloseable {
        boolean isPart() {
            return status == PARTIAL;
        }

        /** There are no such bytes. */
        boolean isBeyond() {
            return status == RANGE_NOT_SATISFIABLE;
        }

        /** A header of the hub's own. */
        Optional<String> fromHub(String header) {
            return said.stream()
                    .flatMap(headers -> headers.firstValue(header).stream())
                    .findFirst();
        }

        @Override
        public void close() {
            body.close();
        }
    }

    /**
     * Gets what is at an address, over at most ten redirects. Close the answer.
     *
     * @throws IOException for what may pass by itself
     * @throws HubException for what does not
     */
    Answer get(URI address, Map<String, String> headers) throws IOException, InterruptedException {
        URI at = address;
        List<HttpHeaders> said = new ArrayList<>();
        for (int i = 0; i <= MOST_REDIRECTS; i++) {
            HttpResponse<TimedBody> response = send(at, headers);
            if (isHub(at)) {
                said.add(0, response.headers());
            }
            if (!REDIRECTS.contains(response.statusCode())) {
                return accepted(response, at, headers, said);
            }
            response.body().close();
            at = next(at, response.headers().firstValue("Location").orElse(""));
        }
        throw new HubException(
                Address.shown(address) + " leads to one address after another, more than " + MOST_REDIRECTS);
    }

    private Answer accepted(
            HttpResponse<TimedBody> response, URI at, Map<String, String> headers, List<HttpHeaders> said)
            throws IOException {
        int status = response.statusCode();
        boolean ranged = headers.containsKey("Range") && (status == PARTIAL || status == RANGE_NOT_SATISFIABLE);
        if (status == OK || ranged) {
            return new Answer(status, response.headers(), response.body(), said);
        }
        response.body().close();
        errors.refuse(status, response.headers(), Address.shown(at), isHub(at));
        throw new IllegalStateException("refused");
    }

    private boolean isHub(URI address) {
        return Address.origin(address).equals(hub);
    }

    boolean mayHaveToken(URI address) {
        return isHub(address) && Address.isPrivate(address);
    }

    private HttpResponse<TimedBody> send(URI address, Map<String, String> headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(options.timeout())
                .header("User-Agent", "internvl4j; java/" + Runtime.version().feature())
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (options.token() != null && mayHaveToken(address)) {
            request.header("Authorization", "Bearer " + options.token());
        }
        try {
            return client.send(request.build(), head -> new TimedBody(options.timeout()));
        } catch (SSLHandshakeException e) {
            throw new HubException(
                    Address.shown(address) + " is not who it should be: " + Shown.text(String.valueOf(e.getMessage())),
                    e);
        }
    }

    /** Where an answer leads. */
    static URI next(URI from, String location) {
        try {
            URI next = from.resolve(new URI(location));
            boolean http = "http".equalsIgnoreCase(next.getScheme());
            if (location.isEmpty() || next.getHost() == null || !http && !Address.isEncrypted(next)) {
                throw new HubException(
                        Address.shown(from) + " leads to '" + Shown.text(location) + "', which is no http address");
            }
            if (http && Address.isEncrypted(from)) {
                throw new HubException(Address.shown(from) + " leads from https to " + Address.shown(next)
                        + ", where others could change what is sent");
            }
            return next;
        } catch (URISyntaxException e) {
            throw new HubException(
                    Address.shown(from) + " leads to '" + Shown.text(location) + "', which is no address", e);
        }
    }
}
