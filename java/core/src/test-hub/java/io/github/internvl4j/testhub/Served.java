package io.github.internvl4j.testhub;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An answer of the test's hub.
 *
 * @param status of HTTP
 * @param headers besides Content-Length, which is the body's unless it is among them
 * @param body what should be sent
 * @param sent so many of its bytes are, then the connection is cut
 * @param silent the connection stays open instead, and nothing comes
 */
public record Served(int status, Map<String, String> headers, byte[] body, int sent, boolean silent) {
    /** All of it. */
    public static Served of(int status, byte[] body) {
        return new Served(status, Map.of(), body, body.length, false);
    }

    /** A refusal as the hub words it. */
    public static Served refusal(int status, String code) {
        Served plain = of(status, "{\"error\":\"refused\"}".getBytes(StandardCharsets.UTF_8));
        return code.isEmpty() ? plain : plain.with("X-Error-Code", code).with("X-Error-Message", "as the hub says");
    }

    public Served with(String header, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(header, value);
        return new Served(status, all, body, sent, silent);
    }

    public Served without(String header) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.remove(header);
        return new Served(status, all, body, sent, silent);
    }

    public Served body(byte[] other) {
        return new Served(status, headers, other, other.length, silent);
    }

    /** Cut after so many bytes of the body. */
    public Served cut(int after) {
        return new Served(status, headers, body, after, false);
    }

    /** Silent after so many bytes of the body. */
    public Served silent(int after) {
        return new Served(status, headers, body, after, true);
    }

    /** The same length, other bytes. */
    public Served damaged() {
        byte[] other = body.clone();
        other[other.length / 2] ^= 1;
        return body(other);
    }

    /** A part of it, as a Range asks for. */
    Served from(int first) {
        byte[] rest = Arrays.copyOfRange(body, first, body.length);
        return new Served(206, headers, rest, rest.length, silent)
                .with("Content-Range", "bytes " + first + "-" + (body.length - 1) + "/" + body.length);
    }
}
