package io.github.internvl4j.server;

import io.github.internvl4j.Adapter;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.server.openai.Fields;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP server with OpenAI's endpoints over one model, and a page to talk to it.
 *
 * <pre>{@code
 * try (Server server = Server.start(ServerOptions.defaults().port(0)); InternVL model = InternVL.load(folder)) {
 *     server.serve("InternVL3-1B", model);
 *     System.out.println(server.address());
 *     ...
 *     server.drain(Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>It listens from the start, and says that the model is being loaded until {@link #serve}. Requests of all clients share the
 * model's batch; each has the answer that it would have alone. The model stays its owner's, who closes it after the server.
 */
public final class Server implements AutoCloseable {
    private static final int MOST_LOOKED_UP = 4;

    private final ServerOptions options;
    private final Limits.Times times;
    private final Vertx vertx;
    private final Gate gate;
    private final Page page = new Page();
    private final Connections connections;
    private final BodyReader bodies;
    private final Admission admission;
    private final ThreadPoolExecutor parsers;
    private final ThreadPoolExecutor lookups;
    private final RemoteImages images;
    private final ExecutorService answers = Executors.newCachedThreadPool(Threads.named("internvl4j-server-answer"));
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(Threads.named("internvl4j-server-clock"));
    private final Set<Answering> unanswered = ConcurrentHashMap.newKeySet();
    private final Map<String, Endpoint> posts = Map.of(
            "/v1/chat/completions", this::chat,
            "/v1/completions", this::complete,
            "/v1/chat/completions/render", this::render,
            "/tokenize", this::tokenize,
            "/detokenize", (body, served, exchange) -> exchange.json(200, Endpoints.detokenize(body, served)));
    private final HttpServer http;
    private volatile @Nullable Served served;
    private volatile boolean draining;

    /** What is done with a body. Runs on a thread that may take its time. */
    private interface Endpoint {
        void answer(Fields body, Served served, Exchange exchange);
    }

    private Server(ServerOptions options, Limits.Times times, RemoteImages.World world) {
        this.options = options;
        this.times = times;
        gate = new Gate(options.apiKeys());
        VertxOptions small = new VertxOptions()
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false));
        vertx = Vertx.builder()
                .with(small)
                .withTransport(new WatchedTransport(times.of(Limits.Wait.FIRST_REQUEST)))
                .build();
        connections = new Connections(vertx, times);
        Memory memory = new Memory();
        bodies = new BodyReader(vertx, times, memory);
        lookups = Threads.pool(MOST_LOOKED_UP, "internvl4j-server-lookup");
        images = new RemoteImages(vertx, options.remoteImages(), world, times.of(Limits.Wait.FETCH), memory, lookups);
        admission = new Admission(options, times.of(Limits.Wait.QUEUE), answers, clock);
        parsers = Threads.pool(Math.max(2, Runtime.getRuntime().availableProcessors()), "internvl4j-server-parser");
        http = vertx.createHttpServer(new HttpServerOptions().setHandle100ContinueAutomatically(true))
                .connectionHandler(connections::opened)
                .requestHandler(this::take);
    }

    /**
     * Begins to listen.
     *
     * @throws InvalidOptionException if that cannot be had
     */
    public static Server start(ServerOptions options) {
        return start(options, Limits.Times.defaults(), RemoteImages.World.real());
    }

    static Server start(ServerOptions options, Limits.Times times, RemoteImages.World world) {
        Server server = new Server(Objects.requireNonNull(options, "options"), times, world);
        try {
            server.http
                    .listen(options.port(), options.host())
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            return server;
        } catch (CompletionException e) {
            server.close();
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new InvalidOptionException(
                    "port " + options.port() + " of " + options.host()
                            + " cannot be listened at, expected one that is free (0 takes any) and an address of this machine: "
                            + cause.getMessage(),
                    e);
        }
    }

    /**
     * Answers from now on.
     *
     * @param name what requests call the model
     */
    public void serve(String name, InternVL model) {
        serve(name, model, Map.of());
    }

    /**
     * Answers from now on, or, called again, with these adapters from now on: what is being answered keeps those that it has.
     *
     * @param name what requests call the model
     * @param adapters of the model, by what requests call it for an answer with one; they stay their owner's, who may close them once they
     *     are left out
     * @throws InvalidOptionException if an adapter has the model's name
     */
    public void serve(String name, InternVL model, Map<String, Adapter> adapters) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(model, "model");
        Map<String, Adapter> copy = Collections.unmodifiableMap(new LinkedHashMap<>(adapters));
        if (copy.containsKey(name)) {
            throw new InvalidOptionException(
                    "an adapter is called " + name + " as the model is, expected another name");
        }
        Served before = served;
        Metrics metrics =
                before != null && before.model() == model && before.base().equals(name)
                        ? before.metrics()
                        : new Metrics(options.metricsPrefix(), name, model, admission::waiting);
        served = Served.now(name, model, copy, metrics);
    }

    /** The port that it listens at. */
    public int port() {
        return http.actualPort();
    }

    /** Where a client on this machine finds it. */
    public URI address() {
        String host = options.host();
        String shown = host.equals("0.0.0.0") ? "127.0.0.1" : host.equals("::") ? "::1" : host;
        return URI.create("http://" + (shown.indexOf(':') < 0 ? shown : "[" + shown + "]") + ":" + port());
    }

    private void take(HttpServerRequest request) {
        connections.began(request.connection());
        String path = request.path() == null ? "" : request.path();
        boolean paged = page.type(path) != null;
        String caller;
        try {
            HostAndPort named = request.authority(); // in HTTP/2 there is no header for it
            gate.requireOwnPage(named == null ? null : named.toString(), request.getHeader("Origin"));
            caller = path.equals("/health") ? "" : gate.caller(request.getHeader("Authorization"));
        } catch (ApiError error) {
            if (error.status() == 401) {
                request.response().putHeader("WWW-Authenticate", paged ? "Basic realm=\"internvl4j\"" : "Bearer");
            }
            refuse(exchange(request, ""), error);
            return;
        }
        Exchange exchange = exchange(request, caller);
        try {
            route(path, exchange);
        } catch (RuntimeException e) {
            refuse(exchange, e);
        }
    }

    private Exchange exchange(HttpServerRequest request, String caller) {
        Exchange exchange = new Exchange(vertx, request, times, caller);
        request.response().putHeader("X-Content-Type-Options", "nosniff");
        exchange.onEnd(() -> connections.ended(request.connection()));
        return exchange;
    }

    /** The body is read all the same, since what follows it on the connection could not be found otherwise. */
    private void refuse(Exchange exchange, RuntimeException failure) {
        bodies.read(exchange, body -> exchange.fail(failure));
    }

    private void route(String path, Exchange exchange) {
        Endpoint post = posts.get(path);
        HttpMethod method = exchange.request().method();
        if (post != null) {
            if (!method.equals(HttpMethod.POST)) {
                throw ApiError.method("POST");
            }
            requireServed();
            bodies.read(exchange, body -> parse(post, body, exchange));
            return;
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            throw page.type(path) != null || path.startsWith("/v1/models")
                    ? ApiError.method("GET")
                    : ApiError.unknownPath(path);
        }
        get(path, exchange);
    }

    private void get(String path, Exchange exchange) {
        if (path.equals("/health")) {
            Served now = requireServed();
            exchange.json(200, Map.of("status", "ok", "model", now.name()));
        } else if (path.equals("/metrics")) {
            Served now = requireLoaded();
            run(
                    exchange,
                    () -> exchange.body(
                            Metrics.type(), Buffer.buffer(now.metrics().text())));
        } else if (path.equals("/v1/models")) {
            exchange.json(200, Endpoints.models(requireLoaded()));
        } else if (path.startsWith("/v1/models/")) {
            Served now = requireLoaded();
            String asked = path.substring("/v1/models/".length());
            exchange.json(200, now.called(asked, false).entry());
        } else {
            page.send(path, exchange);
        }
    }

    private Served requireLoaded() {
        Served now = served;
        if (now == null) {
            throw ApiError.loading();
        }
        return now;
    }

    private Served requireServed() {
        if (draining) {
            throw ApiError.draining();
        }
        return requireLoaded();
    }

    private void parse(Endpoint endpoint, Buffer body, Exchange exchange) {
        run(exchange, () -> {
            Served now = requireServed();
            Fields fields = Endpoints.body(body.getBytes());
            endpoint.answer(fields, now.called(fields.text("model"), options.anyModel()), exchange);
        });
    }

    /** Runs what may take a while, but does not answer. */
    private void run(Exchange exchange, Runnable work) {
        try {
            parsers.execute(() -> {
                try {
                    work.run();
                } catch (Throwable failure) { // somebody waits for an answer
                    exchange.fail(failure);
                }
            });
        } catch (RejectedExecutionException full) {
            exchange.fail(draining ? ApiError.draining() : ApiError.busy());
        }
    }

    private void chat(Fields body, Served now, Exchange exchange) {
        Conversation conversation = Conversation.of(body, exchange.caller());
        Question question = Question.ofChat(body, now, conversation);
        AnswerForm form = AnswerForm.ofChat(now, question);
        withImages(conversation, exchange, whole -> submit(now, question.of(now, whole), form, exchange));
    }

    private void render(Fields body, Served now, Exchange exchange) {
        Conversation conversation = Conversation.of(body, exchange.caller());
        withImages(conversation, exchange, whole -> exchange.json(200, Endpoints.render(now, whole)));
    }

    private void tokenize(Fields body, Served now, Exchange exchange) {
        if (body.get("messages") == null) {
            exchange.json(200, Endpoints.tokenize(body, now));
            return;
        }
        Conversation conversation = Conversation.of(body, exchange.caller());
        withImages(conversation, exchange, whole -> exchange.json(200, Endpoints.tokenize(body, now, whole)));
    }

    /** Goes on when the images that do not stand in the conversation have come: a slow host takes no other request's place. */
    private void withImages(Conversation conversation, Exchange exchange, Consumer<Conversation> then) {
        Map<String, String> remote = images.among(conversation.messages().images());
        if (remote.isEmpty()) {
            then.accept(conversation);
        } else {
            images.fetch(remote, exchange, fetched -> run(exchange, () -> then.accept(conversation.with(fetched))));
        }
    }

    private void complete(Fields body, Served now, Exchange exchange) {
        Question question = Question.ofCompletion(body, now, exchange.caller());
        submit(now, question, AnswerForm.ofCompletion(now, question), exchange);
    }

    private void submit(Served now, Question question, AnswerForm form, Exchange exchange) {
        admission.requireRoom();
        Answering answering =
                new Answering(now, question, form, exchange, times.of(Limits.Wait.ANSWER), answers, clock);
        unanswered.add(answering);
        exchange.onEnd(() -> unanswered.remove(answering));
        exchange.onLeave(() -> {
            admission.leave(answering);
            answering.cancel();
        });
        try {
            admission.submit(answering);
        } catch (ApiError full) {
            answering.refuse(full);
        }
    }

    /**
     * Takes no new requests and waits for those that are answered.
     *
     * @param longest how long; what then is not answered yet is cut off
     * @return whether all were answered
     */
    public boolean drain(Duration longest) throws InterruptedException {
        draining = true;
        admission.close();
        boolean whole = admission.awaitIdle(longest);
        unanswered.forEach(Answering::cancel);
        return whole && admission.awaitIdle(Duration.ofSeconds(1));
    }

    /** Ends everything at once; {@link #drain} goes before it where answers matter. Idempotent. */
    @Override
    public void close() {
        draining = true;
        admission.close();
        unanswered.forEach(Answering::cancel);
        try {
            admission.awaitIdle(Duration.ofSeconds(5));
            vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            System.getLogger("io.github.internvl4j.server").log(Level.DEBUG, "the server did not end in time", e);
        }
        parsers.shutdownNow();
        lookups.shutdownNow();
        answers.shutdownNow();
        clock.shutdownNow();
    }
}
