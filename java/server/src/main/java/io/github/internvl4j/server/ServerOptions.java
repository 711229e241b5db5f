package io.github.internvl4j.server;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** How a server listens and whom it serves. Immutable: every setter returns a changed copy. */
public final class ServerOptions {
    private static final int LARGEST_PORT = 65_535;
    private static final int LARGEST_QUEUE = 10_000;
    private static final int LARGEST_TOGETHER = 64;
    private static final int SHORTEST_KEY = 8;
    private static final Pattern HOST = Pattern.compile("\\*|(\\*\\.)?[a-z0-9_-]+(\\.[a-z0-9_-]+)*");
    private static final ServerOptions DEFAULTS = new ServerOptions(new Fields());

    /** They change only while a copy is made, which alone sees them then. */
    private static final class Fields implements Cloneable {
        private String host = "127.0.0.1";
        private int port = 8000;
        private List<String> apiKeys = List.of();
        private int queue = 64;
        private int maxBatch = 8;
        private boolean anyModel;
        private String metricsPrefix = "internvl4j";
        private List<String> remoteImages = List.of();

        private Fields copy() {
            try {
                return (Fields) clone();
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private final Fields fields;

    private ServerOptions(Fields fields) {
        this.fields = fields;
        require(
                !Objects.requireNonNull(host(), "host").isBlank(),
                "host is blank, expected a name or an address of this machine");
        require(
                port() >= 0 && port() <= LARGEST_PORT,
                "port is " + port() + ", expected 0 (any that is free) to " + LARGEST_PORT);
        require(queue() >= 0 && queue() <= LARGEST_QUEUE, "queue is " + queue() + ", expected 0 to " + LARGEST_QUEUE);
        require(
                maxBatch() >= 1 && maxBatch() <= LARGEST_TOGETHER,
                "maxBatch is " + maxBatch() + ", expected 1 to " + LARGEST_TOGETHER);
        fields.apiKeys = List.copyOf(Objects.requireNonNull(apiKeys(), "apiKeys"));
        for (int i = 0; i < apiKeys().size(); i++) {
            String key = apiKeys().get(i); // never shown
            boolean sound = key.length() >= SHORTEST_KEY && key.chars().allMatch(c -> c > ' ' && c < 0x7f);
            require(
                    sound,
                    "apiKeys[" + i + "] is no key, expected at least " + SHORTEST_KEY
                            + " letters, digits or signs of ASCII");
        }
        require(
                Objects.requireNonNull(metricsPrefix(), "metricsPrefix").matches("[a-zA-Z_][a-zA-Z0-9_]*"),
                "metricsPrefix is \"" + metricsPrefix() + "\", expected letters, digits and _, no digit first");
        fields.remoteImages = Objects.requireNonNull(remoteImages(), "remoteImages").stream()
                .map(host -> host.toLowerCase(Locale.ROOT))
                .toList();
        for (String host : remoteImages()) {
            require(
                    HOST.matcher(host).matches(),
                    "remoteImages has \"" + host
                            + "\", expected a host's name, *.NAME for all below it, or * for every host");
        }
    }

    private ServerOptions with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new ServerOptions(changed);
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
        return with(changed -> changed.host = value);
    }

    /** Listening at another port; 0 takes one that is free. */
    public ServerOptions port(int value) {
        return with(changed -> changed.port = value);
    }

    /** With keys, one of which every request but for {@code /health} must bring; none lets everybody in. */
    public ServerOptions apiKeys(List<String> value) {
        return with(changed -> changed.apiKeys = value);
    }

    /** With so many requests that may wait for others; more are told to come back. */
    public ServerOptions queue(int value) {
        return with(changed -> changed.queue = value);
    }

    /** With so many requests that are answered at a time. */
    public ServerOptions maxBatch(int value) {
        return with(changed -> changed.maxBatch = value);
    }

    /** Answering requests for a model of any name, or only of the model's own. */
    public ServerOptions anyModel(boolean value) {
        return with(changed -> changed.anyModel = value);
    }

    /** With other names of metrics in front of the colon: {@code vllm} fits boards that were made for it. */
    public ServerOptions metricsPrefix(String value) {
        return with(changed -> changed.metricsPrefix = value);
    }

    /**
     * Fetching images that requests name by {@code http://} and {@code https://} from these hosts: names, {@code *.example.com} for
     * all below one, {@code *} for all; none fetches nothing. Only public addresses are asked, whatever is named here.
     */
    public ServerOptions remoteImages(List<String> value) {
        return with(changed -> changed.remoteImages = value);
    }

    /** Where it listens. */
    public String host() {
        return fields.host;
    }

    /** The port; 0 for any. */
    public int port() {
        return fields.port;
    }

    /** The keys, none for everybody. */
    public List<String> apiKeys() {
        return fields.apiKeys;
    }

    /** How many requests may wait. */
    public int queue() {
        return fields.queue;
    }

    /** How many requests are answered at a time. */
    public int maxBatch() {
        return fields.maxBatch;
    }

    /** Whether a request may name any model. */
    public boolean anyModel() {
        return fields.anyModel;
    }

    /** What stands before the colon in the names of metrics. */
    public String metricsPrefix() {
        return fields.metricsPrefix;
    }

    /** The hosts that images are fetched from. */
    public List<String> remoteImages() {
        return fields.remoteImages;
    }

    @Override
    public String toString() {
        return "ServerOptions[host=" + host() + ", port=" + port() + ", apiKeys="
                + apiKeys().size() + ", queue=" + queue() + ", maxBatch=" + maxBatch() + ", anyModel=" + anyModel()
                + ", metricsPrefix=" + metricsPrefix() + ", remoteImages="
                + remoteImages() + "]";
    }
}
