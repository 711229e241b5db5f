package io.github.internvl4j.hub;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Members;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which hub, which cache, and how to download. Immutable: every setter returns a changed copy, or an {@link
 * InvalidOptionException} that names what is out of its range. */
public final class HubOptions {
    private static final Pattern TOKEN = Pattern.compile("[!-~]{1,1000}");
    private static final int MOST_CONNECTIONS = 16;
    private static final int MOST_RETRIES = 100;

    private final URI endpoint;
    private final @Nullable String token;
    private final Path cache;
    private final boolean offline;
    private final int connections;
    private final int retries;
    private final Duration timeout;

    /** Checks the ranges. */
    HubOptions(
            URI endpoint,
            @Nullable String token,
            Path cache,
            boolean offline,
            int connections,
            int retries,
            Duration timeout) {
        Objects.requireNonNull(endpoint, "endpoint");
        Objects.requireNonNull(cache, "cache");
        Objects.requireNonNull(timeout, "timeout");
        require(
                isAddress(endpoint),
                "endpoint",
                "'" + Shown.text(endpoint.toString()) + "'",
                "http://HOST or https://HOST, with a path or without");
        // The value is nobody's to read.
        require(
                token == null || TOKEN.matcher(token).matches(),
                "token",
                "not shown here",
                "printable ASCII without spaces");
        require(
                connections >= 1 && connections <= MOST_CONNECTIONS,
                "connections",
                connections,
                "1 to " + MOST_CONNECTIONS);
        require(retries >= 0 && retries <= MOST_RETRIES, "retries", retries, "0 to " + MOST_RETRIES);
        require(!timeout.isNegative() && !timeout.isZero(), "timeout", timeout, "more than nothing");
        this.endpoint = URI.create(endpoint.toString().replaceFirst("/+$", ""));
        this.token = token;
        this.cache = cache.toAbsolutePath().normalize();
        this.offline = offline;
        this.connections = connections;
        this.retries = retries;
        this.timeout = timeout;
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
        Objects.requireNonNull(environment, "environment");
        return new HubEnvironment(environment).options();
    }

    /** With another hub. */
    public HubOptions endpoint(URI value) {
        return new HubOptions(value, token, cache, offline, connections, retries, timeout);
    }

    /** With another who asks; null for nobody. */
    public HubOptions token(@Nullable String value) {
        return new HubOptions(endpoint, value, cache, offline, connections, retries, timeout);
    }

    /** With another cache. */
    public HubOptions cache(Path value) {
        return new HubOptions(endpoint, token, value, offline, connections, retries, timeout);
    }

    /** Without a connection, or with one. */
    public HubOptions offline(boolean value) {
        return new HubOptions(endpoint, token, cache, value, connections, retries, timeout);
    }

    /** With so many files at once, 1 to 16. */
    public HubOptions connections(int value) {
        return new HubOptions(endpoint, token, cache, offline, value, retries, timeout);
    }

    /** With so many further tries of a request, 0 to 100. */
    public HubOptions retries(int value) {
        return new HubOptions(endpoint, token, cache, offline, connections, value, timeout);
    }

    /** With another longest wait. */
    public HubOptions timeout(Duration value) {
        return new HubOptions(endpoint, token, cache, offline, connections, retries, value);
    }

    /**
     * The hub's address, {@code https://huggingface.co}; http works, too, but no token is sent over it except on this machine.
     */
    public URI endpoint() {
        return endpoint;
    }

    /**
     * Who asks, for models that are private or have terms to accept; null for nobody. Sent to the endpoint alone, never to a host
     * that it leads to.
     */
    public @Nullable String token() {
        return token;
    }

    /** The folder of {@code models--ORG--NAME}. */
    public Path cache() {
        return cache;
    }

    /** Whether it never connects: only what is in the cache is there. */
    public boolean offline() {
        return offline;
    }

    /** Files that are downloaded at once, 1 to 16. */
    public int connections() {
        return connections;
    }

    /**
     * How often in a row a request is tried again when a connection is cut or the hub is busy, 0 to 100; counted anew once bytes
     * have come.
     */
    public int retries() {
        return retries;
    }

    /** The longest wait for a connection, for an answer and for the next bytes. */
    public Duration timeout() {
        return timeout;
    }

    private Members members() {
        return Members.of("endpoint", endpoint)
                .and("token", token)
                .and("cache", cache)
                .and("offline", offline)
                .and("connections", connections)
                .and("retries", retries)
                .and("timeout", timeout);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HubOptions that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    /** Without the token. */
    @Override
    public String toString() {
        return "HubOptions" + members().and("token", token == null ? "none" : "not shown");
    }
}
