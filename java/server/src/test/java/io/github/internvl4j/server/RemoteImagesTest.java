package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.github.internvl4j.error.InvalidOptionException;
import io.vertx.core.net.PfxOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that a request only names, at hosts that exist for the test alone: 127.0.0.1 is the internet, 127.0.0.2 is inside. */
class RemoteImagesTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final Predicate<InetAddress> OPEN =
            address -> address.getHostAddress().equals("127.0.0.1");

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger insideAsked = new AtomicInteger();
    private HttpServer internet;
    private HttpServer inside;
    private String at;

    @BeforeEach
    void listen() throws IOException {
        internet = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        internet.setExecutor(threads);
        int port = internet.getAddress().getPort();
        inside = HttpServer.create(new InetSocketAddress("127.0.0.2", port), 0);
        inside.createContext("/", exchange -> {
            insideAsked.incrementAndGet();
            send(exchange, 200, sample());
        });
        internet.createContext("/two.jpg", exchange -> send(exchange, 200, sample()));
        internet.start();
        inside.start();
        at = ":" + port;
    }

    @AfterEach
    void stop() {
        internet.stop(0);
        inside.stop(0);
        threads.shutdownNow();
    }

    private static byte[] sample() throws IOException {
        return Files.readAllBytes(Fixture.DEMO.resolve("samples").resolve("two.jpg"));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static HttpHandler redirect(String to) {
        return exchange -> {
            exchange.getResponseHeaders().add("Location", to);
            send(exchange, 302, new byte[0]);
        };
    }

    private static InetAddress[] usual(String host) throws UnknownHostException {
        return switch (host) {
            case "pictures.test", "other.test", "a.pictures.test" -> InetAddress.getAllByName("127.0.0.1");
            case "inside.test" -> InetAddress.getAllByName("127.0.0.2");
            case "127.0.0.1", "127.0.0.2" -> InetAddress.getAllByName(host);
            default -> throw new UnknownHostException(host);
        };
    }

    private static Fixture fixture(Duration patience, RemoteImages.Names names, String... hosts) {
        return new Fixture(
                Fixture.options().remoteImages(List.of(hosts)),
                Limits.Times.defaults().with(Limits.Wait.FETCH, patience),
                new RemoteImages.World(names, OPEN, null));
    }

    /** One that is in no hurry, however slow the machine is. */
    private static Fixture fixture(RemoteImages.Names names, String... hosts) {
        return fixture(Duration.ofMinutes(5), names, hosts);
    }

    private static Fixture fixture() {
        return fixture(RemoteImagesTest::usual, "*");
    }

    private static String ask(Fixture fixture, String url) throws Exception {
        HttpResponse<String> response = fixture.post(CHAT, Fixture.question("What?", url, ", \"max_tokens\": 8"));
        return response.statusCode() + " " + response.body();
    }

    private static void refused(Fixture fixture, String url, String words) throws Exception {
        String told = ask(fixture, url);
        assertTrue(told.startsWith("400"), told);
        assertTrue(told.contains("\"messages[0].content[0]\"") && told.contains(words), told);
        assertFalse(told.contains("127.0.0.") && !url.contains("127.0.0."), "nobody is told addresses: " + told);
    }

    @Test
    void theAnswerIsThatToTheImageItself() throws Exception {
        try (Fixture fixture = fixture()) {
            String url = "http://pictures.test" + at + "/two.jpg";
            for (String path : List.of(CHAT, CHAT + "/render", "/tokenize")) {
                String more = ", \"max_tokens\": 8, \"image_placement\": \"inline\"";
                List<String> answers = new ArrayList<>();
                for (String image : List.of(url, Fixture.image("two.jpg"))) {
                    JsonNode answer = fixture.answer(path, Fixture.question("What?", image, more));
                    answers.add(path.equals(CHAT) ? answer.at("/choices").toString() : answer.toString());
                }
                assertEquals(answers.get(1), answers.get(0));
            }
        }
    }

    @Test
    void nothingIsFetchedUnlessTold() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        internet.createContext("/asked", exchange -> asked.incrementAndGet());
        RemoteImages.Names none = host -> {
            asked.incrementAndGet();
            throw new UnknownHostException(host);
        };
        try (Fixture fixture = fixture(none)) {
            refused(fixture, "http://127.0.0.1" + at + "/asked", "not fetched");
            refused(fixture, "https://pictures.test" + at + "/asked", "not fetched");
        }
        assertEquals(0, asked.get());
    }

    @Test
    void onlyTheHostsThatAreNamedAreAsked() throws Exception {
        try (Fixture fixture = fixture(RemoteImagesTest::usual, "Other.test", "*.pictures.test")) {
            assertTrue(ask(fixture, "http://other.test" + at + "/two.jpg").startsWith("200"));
            assertTrue(ask(fixture, "http://A.Pictures.test" + at + "/two.jpg").startsWith("200"));
            refused(fixture, "http://pictures.test" + at + "/two.jpg", "--allow-remote-images does not name");
            internet.createContext("/away", redirect("http://pictures.test" + at + "/two.jpg"));
            refused(fixture, "http://other.test" + at + "/away", "--allow-remote-images does not name");
        }
    }

    @Test
    void eachRedirectIsCheckedAnew() throws Exception {
        internet.createContext("/once", redirect("two.jpg"));
        internet.createContext("/other", redirect("http://other.test" + at + "/once"));
        internet.createContext("/inside", redirect("http://inside.test" + at + "/two.jpg"));
        internet.createContext("/address", redirect("//127.0.0.2" + at + "/two.jpg"));
        internet.createContext("/file", redirect("file:///etc/passwd"));
        internet.createContext("/nothing", redirect("http://a b"));
        internet.createContext("/round", redirect("/round"));
        try (Fixture fixture = fixture()) {
            assertTrue(ask(fixture, "http://pictures.test" + at + "/other").startsWith("200"));
            refused(fixture, "http://pictures.test" + at + "/inside", "no public address");
            refused(fixture, "http://pictures.test" + at + "/address", "no public address");
            refused(fixture, "http://pictures.test" + at + "/file", "no URL of an image");
            refused(fixture, "http://pictures.test" + at + "/nothing", "no URL of an image");
            refused(fixture, "http://pictures.test" + at + "/round", "more than 3 times");
        }
        assertEquals(0, insideAsked.get());
    }

    /** The name that is checked and the one that is connected to are looked up at the same moment: there is only one. */
    @Test
    void aNameThatLeadsElsewhereTheSecondTimeLeadsNowhere() throws Exception {
        AtomicInteger lookups = new AtomicInteger();
        RemoteImages.Names changing =
                host -> InetAddress.getAllByName(lookups.incrementAndGet() % 2 == 1 ? "127.0.0.1" : "127.0.0.2");
        String[] named = new String[1];
        internet.createContext("/named", exchange -> {
            named[0] = exchange.getRequestHeaders().getFirst("Host");
            send(exchange, 200, sample());
        });
        try (Fixture fixture = fixture(changing, "*")) {
            assertTrue(
                    ask(fixture, "http://pictures.test" + at + "/named?a=%20b").startsWith("200"));
            assertEquals("pictures.test" + at, named[0]);
            assertEquals(1, lookups.get());
            refused(fixture, "http://pictures.test" + at + "/named", "no public address");
        }
        assertEquals(0, insideAsked.get());
    }

    @Test
    void bodiesHaveAnEndInTimeAndInBytes() throws Exception {
        internet.createContext("/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                while (true) {
                    out.write(new byte[1 << 16]);
                }
            }
        });
        internet.createContext("/slow", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                for (; !Thread.currentThread().isInterrupted(); pause()) {
                    out.write(0);
                    out.flush();
                }
            }
        });
        internet.createContext("/silent", exchange -> pause(60_000));
        internet.createContext("/missing", exchange -> send(exchange, 404, new byte[0]));
        internet.createContext("/page", exchange -> send(exchange, 200, "<html>".getBytes(StandardCharsets.US_ASCII)));
        try (Fixture fixture = fixture()) {
            refused(fixture, "http://pictures.test" + at + "/endless", "larger than");
            refused(fixture, "http://pictures.test" + at + "/missing", "status 404");
            refused(fixture, "http://pictures.test" + at + "/page", "the image");
            assertTrue(ask(fixture, "http://pictures.test" + at + "/two.jpg").startsWith("200"), "and goes on");
        }
        try (Fixture brief = fixture(Duration.ofMillis(300), RemoteImagesTest::usual, "*")) {
            refused(brief, "http://pictures.test" + at + "/slow", "did not come within");
            refused(brief, "http://pictures.test" + at + "/silent", "did not come within");
        }
    }

    private static void pause() {
        pause(20);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void whoLeavesEndsTheFetch() throws Exception {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        internet.createContext("/until", exchange -> {
            begun.incrementAndGet();
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                for (; !Thread.currentThread().isInterrupted(); pause()) {
                    out.write(0);
                    out.flush();
                }
            } catch (IOException closed) {
                ended.incrementAndGet();
            }
        });
        try (Fixture fixture = fixture()) {
            try (Socket client = new Socket("127.0.0.1", fixture.server.port())) {
                String url = "http://pictures.test" + at + "/until";
                client.getOutputStream().write(Fixture.wire(Fixture.question("What?", url, "")));
                assertTrue(Fixture.soon(() -> begun.get() == 1), "it is fetched");
            }
            assertTrue(Fixture.soon(() -> ended.get() == 1), "and then not any more");
        }
    }

    @Test
    void anAddressCanStandForAHost() throws Exception {
        HttpServer six = HttpServer.create();
        try {
            six.bind(new InetSocketAddress("::1", 0), 0);
        } catch (IOException e) {
            assumeTrue(false, "there is no IPv6 here");
        }
        List<String> named = new ArrayList<>();
        six.createContext("/", exchange -> {
            named.add(exchange.getRequestHeaders().getFirst("Host"));
            send(exchange, 200, sample());
        });
        six.start();
        String host = "[::1]:" + six.getAddress().getPort();
        RemoteImages.World world =
                new RemoteImages.World(InetAddress::getAllByName, InetAddress::isLoopbackAddress, null);
        try (Fixture fixture =
                new Fixture(Fixture.options().remoteImages(List.of("*")), Limits.Times.defaults(), world)) {
            assertTrue(ask(fixture, "http://" + host + "/a.jpg").startsWith("200"));
            assertEquals(List.of(host), named);
        }
        six.stop(0);
    }

    @Test
    void hostsAreNamedAsHosts() {
        for (String wrong : List.of("", "http://a.org", "a.org:80", "a*", "*a.org", "a..org")) {
            String message = assertThrows(
                            InvalidOptionException.class,
                            () -> Fixture.options().remoteImages(List.of(wrong)))
                    .getMessage();
            assertTrue(message.contains("remoteImages has \"" + wrong + "\""), message);
        }
        assertEquals(
                List.of("a.org", "*.b.org", "*"),
                Fixture.options().remoteImages(List.of("A.org", "*.b.org", "*")).remoteImages());
    }

    /** The certificate must be of the host that the URL names, not of the address. */
    @Test
    void certificatesAreOfTheHostThatWasNamed(@TempDir Path folder) throws Exception {
        Path keys = folder.resolve("keys.p12");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process made = new ProcessBuilder(
                        keytool,
                        "-genkeypair",
                        "-alias",
                        "a",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=pictures.test",
                        "-ext",
                        "san=dns:pictures.test",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit",
                        "-keystore",
                        keys.toString())
                .inheritIO()
                .start();
        assertEquals(0, made.waitFor());
        HttpsServer secure = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        secure.setHttpsConfigurator(new HttpsConfigurator(context));
        secure.createContext("/", exchange -> send(exchange, 200, sample()));
        secure.start();
        String there = ":" + secure.getAddress().getPort() + "/a.jpg";
        PfxOptions trusted = new PfxOptions().setPath(keys.toString()).setPassword("changeit");
        for (Map.Entry<String, Boolean> host :
                Map.of("pictures.test", true, "other.test", false).entrySet()) {
            RemoteImages.World world = new RemoteImages.World(RemoteImagesTest::usual, OPEN, trusted);
            try (Fixture fixture =
                    new Fixture(Fixture.options().remoteImages(List.of("*")), Limits.Times.defaults(), world)) {
                String url = "https://" + host.getKey() + there;
                if (host.getValue()) {
                    assertTrue(ask(fixture, url).startsWith("200"), ask(fixture, url));
                } else {
                    refused(fixture, url, "no connection");
                }
            }
        }
        try (Fixture fixture = fixture()) {
            refused(fixture, "https://pictures.test" + there, "no connection"); // nobody vouches for it
        }
        secure.stop(0);
    }
}
