package io.github.internvl4j.server;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.net.TrustOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Fetches images that a request names by where they are. Whoever may ask could have the server look into the network around it, so
 * only public addresses are asked: a name is looked up once, what it says is checked, and the connection goes there and nowhere else.
 */
final class RemoteImages {
    /** In whose place a test puts its own. */
    interface Names {
        /** All addresses of a host. May take its time. */
        InetAddress[] of(String host) throws UnknownHostException;
    }

    /**
     * What lies around the server.
     *
     * @param open which addresses may be asked
     * @param trusted whose certificates are believed; null for Java's own
     */
    record World(
            Names names,
            Predicate<InetAddress> open,
            @Nullable TrustOptions trusted) {
        static World real() {
            return new World(InetAddress::getAllByName, PublicAddress::is, null);
        }
    }

    private final List<String> hosts;
    private final World world;
    private final Duration longest;
    private final Memory memory;
    private final Executor lookups;
    private final Context context;
    private final HttpClient client;
    private final AtomicInteger running = new AtomicInteger();

    /**
     * @param hosts as {@link ServerOptions#remoteImages(List)} has them
     * @param longest for one image, redirects and all
     * @param lookups has threads that may wait for names
     */
    RemoteImages(Vertx vertx, List<String> hosts, World world, Duration longest, Memory memory, Executor lookups) {
        this.hosts = hosts;
        this.world = world;
        this.longest = longest;
        this.memory = memory;
        this.lookups = lookups;
        context = vertx.getOrCreateContext();
        HttpClientOptions options = new HttpClientOptions()
                .setKeepAlive(false) // another request's connection leads where its name led then
                .setConnectTimeout(Math.toIntExact(longest.toMillis()));
        if (world.trusted() != null) {
            options.setTrustOptions(world.trusted());
        }
        client = vertx.createHttpClient(options, new PoolOptions().setHttp1MaxSize(Limits.FETCHES));
    }

    /** Those of a conversation's images that are to be fetched, with where they stand in the request. */
    Map<String, String> among(Map<String, String> images) {
        Map<String, String> remote = new HashMap<>(images);
        remote.keySet().removeIf(url -> hosts.isEmpty() || !url.regionMatches(true, 0, "http", 0, 4));
        return remote;
    }

    /**
     * Fetches images, unless the exchange ends before.
     *
     * @param images by URL, with where they stand in the request
     * @param then gets them on the event loop, and must not keep it waiting; if one cannot be had, the exchange fails instead
     */
    void fetch(Map<String, String> images, Exchange exchange, Consumer<Map<String, byte[]>> then) {
        if (running.addAndGet(images.size()) > Limits.FETCHES) {
            running.addAndGet(-images.size());
            throw ApiError.busy();
        }
        Memory.Share share = memory.share();
        exchange.onEnd(share::free);
        context.runOnContext(nothing -> {
            Map<String, byte[]> fetched = new HashMap<>();
            List<Future<?>> all = new ArrayList<>();
            images.forEach((url, path) -> {
                Fetch fetch = new Fetch(this, url, path, share);
                exchange.onEnd(() -> context.runOnContext(now -> fetch.cancel())); // its client left, or another failed
                all.add(fetch.start()
                        .onSuccess(bytes -> fetched.put(url, bytes))
                        .andThen(done -> running.decrementAndGet()));
            });
            Future.all(all).onComplete(whole -> then.accept(fetched), exchange::fail);
        });
    }

    HttpClient client() {
        return client;
    }

    Context context() {
        return context;
    }

    Duration longest() {
        return longest;
    }

    /** Whether the options let a host be asked. */
    boolean mayAsk(String host) {
        String name = host.toLowerCase(Locale.ROOT).replaceFirst("\\.$", "");
        return hosts.stream()
                .anyMatch(each -> each.startsWith("*") ? name.endsWith(each.substring(1)) : name.equals(each));
    }

    /** Looks a host up, once: an address of it, all of which may be asked; null if it has none or another one, too. */
    Future<@Nullable InetAddress> address(String host) {
        Promise<@Nullable InetAddress> found = Promise.promise();
        try {
            lookups.execute(() -> {
                InetAddress address = lookUp(host);
                context.runOnContext(nothing -> found.complete(address));
            });
        } catch (RejectedExecutionException full) {
            found.fail(ApiError.busy());
        }
        return found.future();
    }

    private @Nullable InetAddress lookUp(String host) {
        try {
            InetAddress[] all = world.names().of(host);
            return all.length > 0 && Arrays.stream(all).allMatch(world.open()) ? all[0] : null;
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
