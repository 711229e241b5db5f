package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.ModelAccessException;
import io.github.internvl4j.error.ModelNotFoundException;
import io.github.internvl4j.testhub.Served;
import io.github.internvl4j.testhub.TestHub;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may have what, and to whom the token goes. */
class HubAccessTest extends HubFixture {
    private static final String TOKEN = "hf_secret0123456789";

    @Test
    void theTokenGoesToTheHubAlone() throws IOException {
        assertWhole(hub(options().token(TOKEN)).pull(NAME));
        List<TestHub.Request> asked = hub.requests("");
        List<TestHub.Request> elsewhere = hub.requests("/store/");
        assertEquals(3, elsewhere.size());
        for (TestHub.Request request : asked) {
            boolean own = request.host().equals("127.0.0.1");
            assertEquals(!own, elsewhere.contains(request));
            assertEquals(own ? "Bearer " + TOKEN : null, request.headers().get("authorization"), request.target());
        }
    }

    @Test
    void theTokenStaysHereWhenTheModelHasMoved() throws IOException {
        hub.once(
                "/revision/",
                answer -> Served.of(307, new byte[0]).with("Location", "/api/models/" + NAME + "/revision/main"));
        assertWhole(hub(options().token(TOKEN)).pull(NAME));
        assertTrue(hub.requests("/revision/").stream().allMatch(request -> request.has("authorization")));
        // The list's next page on another host gets no token.
        String next = "<" + hub.elsewhere() + "/api/models/" + NAME + "/tree/" + repository.commit()
                + "?page=2>; rel=\"next\"";
        hub.forgetRequests();
        repository.with("config.json", "{}");
        hub.once(
                "recursive",
                answer -> Served.of(
                                200,
                                "["
                                        .concat(repository.entry("README.md"))
                                        .concat("]")
                                        .getBytes())
                        .with("Link", next.replaceAll("[0-9a-f]{40}", repository.commit())));
        assertWhole(hub(options().token(TOKEN)).pull(NAME));
        assertFalse(hub.requests("page=2").get(0).has("authorization"));
    }

    @Test
    void theTokenGoesOverNoOpenLine() {
        for (String line : List.of(
                "http://example.org", "http://10.0.0.1:80", "http://localhost.example.org", "http://127.example.org")) {
            assertFalse(Address.isPrivate(URI.create(line)), line);
        }
        for (String line : List.of(
                "https://example.org",
                "http://localhost:1",
                "http://127.0.0.1",
                "http://[::1]:9",
                "HTTP://LocalHost")) {
            assertTrue(Address.isPrivate(URI.create(line)), line);
        }
        HubClient open = new HubClient(options().endpoint(URI.create("http://example.org")), ModelName.parse(NAME));
        assertFalse(open.mayHaveToken(URI.create("http://example.org/a")));
        HubClient closed = new HubClient(options().endpoint(URI.create("https://example.org")), ModelName.parse(NAME));
        assertTrue(closed.mayHaveToken(URI.create("https://example.org:443/a")));
        for (String other : List.of(
                "http://example.org/a",
                "https://example.org:444",
                "https://example.org.net",
                "https://www.example.org")) {
            assertFalse(closed.mayHaveToken(URI.create(other)), other);
        }
        assertEquals("https://a.b:443", Address.origin(URI.create("HTTPS://A.b/c")));
        assertFalse(Address.origin(URI.create("http://a.b:80")).equals(Address.origin(URI.create("https://a.b:443"))));
    }

    @ParameterizedTest
    @CsvSource({
        "401,GatedRepo,terms",
        "403,GatedRepo,terms",
        "403,'',HF_TOKEN",
    })
    void whatIsNotGivenIsToldSo(int status, String code, String word) {
        hub.always("/revision/", answer -> Served.refusal(status, code));
        assertSays(ModelAccessException.class, this::pull, NAME, word, "HF_TOKEN");
        assertEquals(1, hub.requests("").size());
        assertTrue(waits.isEmpty());
    }

    @ParameterizedTest
    @CsvSource({
        "404,RepoNotFound,spelling",
        "401,RepoNotFound,private",
        "401,'',private",
        "404,'',spelling",
        "404,RevisionNotFound,revision main",
    })
    void whatIsNotThereIsToldSo(int status, String code, String word) {
        hub.always("/revision/", answer -> Served.refusal(status, code));
        assertSays(ModelNotFoundException.class, this::pull, NAME, word);
        assertEquals(1, hub.requests("").size());
        assertFalse(Files.exists(cache));
    }

    @Test
    void anUnknownNameAndRevisionAreToldSo() {
        assertSays(
                ModelNotFoundException.class,
                () -> hub(options()).pull("org/other"),
                "org/other",
                hub.endpoint().toString());
        assertSays(ModelNotFoundException.class, () -> hub(options()).pull(NAME + "@v9"), "no revision v9");
    }

    @Test
    void aWrongTokenIsToldSoAndNotShown() {
        hub.always("/revision/", answer -> Served.refusal(401, ""));
        HubException failure = assertSays(
                ModelAccessException.class, () -> hub(options().token(TOKEN)).pull(NAME), "may be wrong");
        assertFalse(String.valueOf(failure.getMessage()).contains(TOKEN));
        assertFalse(options().token(TOKEN).toString().contains(TOKEN));
    }

    @Test
    void gatedFilesOfAnOpenListAreToldSo() {
        hub.always("/resolve/", answer -> Served.refusal(403, "GatedRepo"));
        assertSays(ModelAccessException.class, this::pull, "terms", hub.endpoint() + "/" + NAME);
    }

    @Test
    void anAddressThatIsTooOldIsAskedForAnew() throws IOException {
        hub.times(2, "/store/", answer -> Served.refusal(403, ""));
        assertWhole(pull());
        hub.always("/store/", answer -> Served.refusal(403, ""));
        repository.with(WEIGHTS, "other");
        HubException failure = assertSays(HubException.class, this::pull, WEIGHTS, "4 tries");
        assertFalse(String.valueOf(failure.getMessage()).contains("Signature"));
    }

    @Test
    void redirectsThatLeadNowhere() {
        for (String to : List.of("", "ftp://localhost/a", "file:///etc/passwd", "http:///x", "::", "a b")) {
            hub.sound().always("/store/", answer -> Served.of(302, new byte[0]).with("Location", to));
            assertSays(HubException.class, this::pull, "leads to");
        }
        hub.sound().always("/store/", answer -> Served.of(302, new byte[0]).with("Location", "?Signature=again"));
        assertSays(HubException.class, () -> hub(options().connections(1)).pull(NAME), "more than 10");
        assertEquals(9, hub.requests("Signature=again").size(), "after the hub's and the first of the store's");
        URI https = URI.create("https://example.org/a/b");
        assertSays(
                HubException.class,
                () -> HubClient.next(https, "http://example.org/c"),
                "from https to http://example.org/c");
        assertEquals(URI.create("https://example.org/a/c?d"), HubClient.next(https, "c?d"));
        assertEquals(URI.create("https://cdn.example.org/c"), HubClient.next(https, "//cdn.example.org/c"));
        assertEquals(URI.create("https://a/c"), HubClient.next(URI.create("http://a/b"), "https://a/c"));
    }

    @Test
    void noHubAtAll() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        HubOptions nowhere = options().endpoint(URI.create("http://127.0.0.1:" + port));
        assertSays(HubException.class, () -> hub(nowhere).pull(NAME), "http://127.0.0.1:" + port, "4 tries");
        assertEquals(3, waits.size());
        hub.always("/revision/", answer -> answer.body("<html>a portal</html>".getBytes()));
        assertSays(HubException.class, this::pull, "JSON", "HF_ENDPOINT");
    }
}
