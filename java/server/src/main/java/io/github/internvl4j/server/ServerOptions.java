package io.github.internvl4j.server;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import java.util.Objects;

/** How a server listens and whom it serves. Immutable: every setter returns a changed copy. */
public final class ServerOptions {
    private static final int LARGEST_PORT = 65_535;
    private static final int LARGEST_QUEUE = 10_000;
    private static final int LARGEST_TOGETHER = 64;
    private static final int SHORTEST_KEY = 8;
    private static final ServerOptions DEFAULTS =
            new ServerOptions("127.0.0.1", 8000, List.of(), 64, 8, false, "internvl4j");

    private final String host;
    private final int port;
    private final List<String> apiKeys;
    private final int queue;
    private final int together;
    private final boolean anyModel;
    private final String metricsPrefix;

    private ServerOptions(
            String host,
            int port,
            List<String> apiKeys,
            int queue,
            int together,
            boolean anyModel,
            String metricsPrefix) {
        require(!host.isBlank(), "host is blank, expected a name or an address of this machine");
        require(
                port >= 0 && port <= LARGEST_PORT,
                "port is " + port + ", expected 0 (any that is free) to " + LARGEST_PORT);
        require(queue >= 0 && queue <= LARGEST_QUEUE, "queue is " + queue + ", expected 0 to " + LARGEST_QUEUE);
        require(
                together >= 1 && together <= LARGEST_TOGETHER,
                "maxBatch is " + together + ", expected 1 to " + LARGEST_TOGETHER);
        for (int i = 0; i < apiKeys.size(); i++) {
            String key = apiKeys.get(i); // never shown
            boolean sound = key.length() >= SHORTEST_KEY && key.chars().allMatch(c -> c > ' ' && c < 0x7f);
            require(
                    sound,
                    "apiKeys[" + i + "] is no key, expected at least " + SHORTEST_KEY
                            + " letters, digits or signs of ASCII");
        }
        require(
                metricsPrefix.matches("[a-zA-Z_][a-zA-Z0-9_]*"),
                "metricsPrefix is \"" + metricsPrefix + "\", expected letters, digits and _, no digit first");
        this.host = host;
        this.port = port;
        this.apiKeys = List.copyOf(apiKeys);
        this.queue = queue;
        this.together = together;
        this.anyModel = anyModel;
        this.metricsPrefix = metricsPrefix;
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new InvalidOptionException(message);
        }
    }

    /** This machine alone, at port 8000, without a key; 8 requests at a time, and 64 that wait. */
    public static ServerOptions defaults() {
        return DEFAULTS;
    }

    /** Listening at another address: {@code 0.0.0.0} for all of this machine's. */
    public ServerOptions host(String value) {
        return new ServerOptions(
                Objects.requireNonNull(value, "host"), port, apiKeys, queue, together, anyModel, metricsPrefix);
    }

    /** Listening at another port; 0 takes one that is free. */
    public ServerOptions port(int value) {
        return new ServerOptions(host, value, apiKeys, queue, together, anyModel, metricsPrefix);
    }

    /** With keys, one of which every request but for {@code /health} must bring; none lets everybody in. */
    public ServerOptions apiKeys(List<String> value) {
        return new ServerOptions(
                host, port, Objects.requireNonNull(value, "apiKeys"), queue, together, anyModel, metricsPrefix);
    }

    /** With so many requests that may wait for others; more are told to come back. */
    public ServerOptions queue(int value) {
        return new ServerOptions(host, port, apiKeys, value, together, anyModel, metricsPrefix);
    }

    /** With so many requests that are answered at a time. */
    public ServerOptions maxBatch(int value) {
        return new ServerOptions(host, port, apiKeys, queue, value, anyModel, metricsPrefix);
    }

    /** Answering requests for a model of any name, or only of the model's own. */
    public ServerOptions anyModel(boolean value) {
        return new ServerOptions(host, port, apiKeys, queue, together, value, metricsPrefix);
    }

    /** With other names of metrics in front of the colon: {@code vllm} fits boards that were made for it. */
    public ServerOptions metricsPrefix(String value) {
        return new ServerOptions(
                host, port, apiKeys, queue, together, anyModel, Objects.requireNonNull(value, "metricsPrefix"));
    }

    /** Where it listens. */
    public String host() {
        return host;
    }

    /** The port; 0 for any. */
    public int port() {
        return port;
    }

    /** The keys, none for everybody. */
    public List<String> apiKeys() {
        return apiKeys;
    }

    /** How many requests may wait. */
    public int queue() {
        return queue;
    }

    /** How many requests are answered at a time. */
    public int maxBatch() {
        return together;
    }

    /** Whether a request may name any model. */
    public boolean anyModel() {
        return anyModel;
    }

    /** What stands before the colon in the names of metrics. */
    public String metricsPrefix() {
        return metricsPrefix;
    }

    @Override
    public String toString() {
        return "ServerOptions[host=" + host + ", port=" + port + ", apiKeys=" + apiKeys.size() + ", queue=" + queue
                + ", maxBatch=" + together + ", anyModel=" + anyModel + ", metricsPrefix=" + metricsPrefix + "]";
    }
}
