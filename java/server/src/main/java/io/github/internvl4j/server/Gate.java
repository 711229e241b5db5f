package io.github.internvl4j.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Who may come in: who has a key; and no page of another site through the browser of somebody who may. */
final class Gate {
    private static final Pattern ADDRESS = Pattern.compile("(localhost|[0-9.]+|\\[[0-9a-f:.]+\\])(:\\d+)?");

    private final List<byte[]> keys;

    Gate(List<String> keys) {
        this.keys = keys.stream().map(Gate::hash).toList();
    }

    /** Of two keys the time to compare says nothing when their digests are compared. */
    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Lets a request in.
     *
     * @param authorization its header, or null
     * @return a name for its caller, so that what is kept for one serves no other: empty where all are one
     * @throws ApiError if it may not come in
     */
    String caller(@Nullable String authorization) {
        if (keys.isEmpty()) {
            return "";
        }
        byte[] presented = hash(key(authorization));
        byte[] found = new byte[0];
        for (byte[] key : keys) { // all of them, so that time does not tell which
            found = MessageDigest.isEqual(key, presented) ? key : found;
        }
        if (found.length == 0) {
            throw ApiError.unauthorized();
        }
        return keys.size() == 1 ? "" : HexFormat.of().formatHex(found);
    }

    /** A browser that was asked for a name and a password brings the key as the password. */
    private static String key(@Nullable String authorization) {
        if (authorization == null) {
            return "";
        }
        String[] words = authorization.strip().split(" +", 2);
        String scheme = words[0].toLowerCase(Locale.ROOT);
        if (words.length < 2 || !(scheme.equals("bearer") || scheme.equals("basic"))) {
            return "";
        }
        if (scheme.equals("bearer")) {
            return words[1];
        }
        try {
            String pair = new String(Base64.getDecoder().decode(words[1]), StandardCharsets.UTF_8);
            return pair.substring(pair.indexOf(':') + 1);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /**
     * Refuses what another site's page asks through a browser, which says where the page is from. Where there are no keys, a name
     * that leads to this machine may be such a site's own, so that the browser takes the page for one of ours; an address cannot.
     *
     * @param host as the request names the server, or null
     * @param origin of the page that asks, or null
     */
    void requireOwnPage(@Nullable String host, @Nullable String origin) {
        if (origin == null) {
            return;
        }
        String named = host == null ? "" : host.toLowerCase(Locale.ROOT);
        if (!origin.toLowerCase(Locale.ROOT).replaceFirst("^https?://", "").equals(named)) {
            throw ApiError.forbidden("pages of other sites may not ask this server");
        }
        if (keys.isEmpty() && !ADDRESS.matcher(named).matches()) {
            throw ApiError.forbidden("without API keys a browser may ask localhost or an address, not a name");
        }
    }
}
