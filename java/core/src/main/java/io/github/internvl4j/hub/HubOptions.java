package io.github.internvl4j.hub;

import io.github.internvl4j.error.InvalidOptionException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which hub, which cache, and how to download. Immutable: every setter returns a changed copy.
 *
 * @param endpoint the hub's address, {@code https://huggingface.co}; http works, too, but no token is sent over it except on this
 *     machine
 * @param token who asks, for models that are private or have terms to accept; null for nobody. Sent to the endpoint alone, never to
 *     a host that it leads to
 * @param cache the folder of {@code models--ORG--NAME}
 * @param offline never connect: only what is in the cache is there
 * @param connections files that are downloaded at once, 1 to 16
 * @param retries how often in a row a request is tried again when a connection is cut or the hub is busy, 0 to 100; counted anew
 *     once bytes have come
 * @param timeout the longest wait for a connection, for an answer and for the next bytes
 */
public record HubOptions(
        URI endpoint,
        @Nullable String token,
        Path cache,
        boolean offline,
        int connections,
        int retries,
        Duration timeout) {
    private static final Pattern TOKEN = Pattern.compile("[!-~]{1,1000}");
    private static final int MOST_CONNECTIONS = 16;
    private static final int MOST_RETRIES = 100;

    /**
     * Checks the ranges.
     *
     * @throws InvalidOptionException naming the option that is out of its range
     */
    public HubOptions {
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(cache, "cache");
        Objects.requireNonNull(timeout, "timeout");
        require(isAddress(endpoint), "endpoint", "'" + Shown.text(endpoint.toString()) + "'",
                "http://HOST or https://HOST, with a path or without");
        // The value is nobody's to read.
        require(token == null || TOKEN.matcher(token).matches(), "token", "not shown here", "printable ASCII without spaces");
        require(connections >= 1 && connections <= MOST_CONNECTIONS, "connections", connections, "1 to " + MOST_CONNECTIONS);
        require(retries >= 0 && retries <= MOST_RETRIES, "retries", retries, "0 to " + MOST_RETRIES);
        require(!timeout.isNegative() && !timeout.isZero(), "timeout", timeout, "more than nothing");
        endpoint = URI.create(endpoint.toString().replaceFirst("/+$", ""));
        cache = cache.toAbsolutePath().normalize();
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new InvalidOptionException(name + " is " + value + ", expected " + range);
        }
    }

    private static boolean isAddress(URI endpoint) {
        String scheme = endpoint.getScheme() == null ? "" : endpoint.getScheme().toLowerCase(Locale.ROOT);
        return (scheme.equals("http") || scheme.equals("https"))
                && endpoint.getHost() != null
                && endpoint.getRawUserInfo() == null
                && endpoint.getRawQuery() == null
                && endpoint.getRawFragment() == null;
    }

    /**
     * As the environment says, by the variables of Hugging Face's own tools: HF_ENDPOINT; HF_TOKEN, or the file that HF_TOKEN_PATH
     * names, by default {@code token} in HF_HOME; HF_HUB_CACHE, by default {@code hub} in HF_HOME; HF_HOME, by default
     * {@code huggingface} in XDG_CACHE_HOME or {@code ~/.cache}; HF_HUB_OFFLINE.
     *
     * @throws InvalidOptionException naming a variable whose value is none
     */
    public static HubOptions fromEnvironment() {
        return fromEnvironment(System.getenv());
    }

    /** The same of another environment: variables and their values. */
    public static HubOptions fromEnvironment(Map<String, String> environment) {
        return new HubEnvironment(environment).options();
    }

    public HubOptions endpoint(URI value) {
        return new HubOptions(value, token, cache, offline, connections, retries, timeout);
    }

    public HubOptions token(@Nullable String value) {
        return new HubOptions(endpoint, value, cache, offline, connections, retries, timeout);
    }

    public HubOptions cache(Path value) {
        return new HubOptions(endpoint, token, value, offline, connections, retries, timeout);
    }

    public HubOptions offline(boolean value) {
        return new HubOptions(endpoint, token, cache, value, connections, retries, timeout);
    }

    public HubOptions connections(int value) {
        return new HubOptions(endpoint, token, cache, offline, value, retries, timeout);
    }

    public HubOptions retries(int value) {
        return new HubOptions(endpoint, token, cache, offline, connections, value, timeout);
    }

    public HubOptions timeout(Duration value) {
        return new HubOptions(endpoint, token, cache, offline, connections, retries, value);
    }

    /** Without the token. */
    @Override
    public String toString() {
        return "HubOptions[endpoint=" + endpoint + ", token=" + (token == null ? "none" : "not shown") + ", cache=" + cache
                + ", offline=" + offline + ", connections=" + connections + ", retries=" + retries + ", timeout=" + timeout + "]";
    }
}
