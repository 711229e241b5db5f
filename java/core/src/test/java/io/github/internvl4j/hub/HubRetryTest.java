package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.testhub.Served;
import io.github.internvl4j.testhub.TestHub;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is tried again, what is gone on with, and what is thrown away. */
class HubRetryTest extends HubFixture {
    private String store() {
        return "/store/" + repository.sha256(WEIGHTS);
    }

    @Test
    void aCutConnectionIsGoneOnWith() throws IOException {
        hub.once(store(), answer -> answer.cut(100_000)).once(store(), answer -> answer.cut(50_000));
        assertWhole(pull());
        List<TestHub.Request> asked = hub.requests(store());
        assertEquals(3, asked.size());
        assertFalse(asked.get(0).has("range"));
        for (TestHub.Request again : asked.subList(1, 3)) {
            assertTrue(again.has("range"));
            assertEquals(
                    "\"store-" + repository.blobId(WEIGHTS) + "\"",
                    again.headers().get("if-range"));
        }
        assertEquals(2, waits.size());
    }

    @Test
    void aHubThatFallsSilentIsAskedAgain() throws IOException {
        hub.once(store(), answer -> answer.silent(100_000)).once("/revision/", answer -> answer.silent(3));
        assertWhole(hub(options().timeout(Duration.ofMillis(300))).pull(NAME));
    }

    @Test
    void whatWasLeftIsGoneOnWithByTheNextPull() throws IOException {
        hub.always(store(), answer -> answer.cut(200_000));
        assertSays(HubException.class, () -> hub(options().retries(0)).pull(NAME), WEIGHTS);
        long left = Files.size(incomplete(WEIGHTS));
        assertTrue(left > 0 && left <= 200_000, left + " bytes");
        hub.sound().forgetRequests();
        assertWhole(pull());
        TestHub.Request again = hub.requests(store()).get(0);
        assertEquals("bytes=" + left + "-", again.headers().get("range"));
        assertNull(again.headers().get("if-range"), "nobody knows whose bytes these were: the hash tells");
    }

    @Test
    void whatWasLeftOfAnotherFileIsThrownAway() throws IOException {
        for (int size : new int[] {1000, 300_000, 300_001}) {
            Files.createDirectories(blobs());
            Files.write(incomplete(WEIGHTS), new byte[size]);
            assertWhole(pull());
            Files.delete(blobs().resolve(repository.etag(WEIGHTS)));
        }
    }

    @Test
    void aFileThatHasChangedIsBegunAgain() throws IOException {
        // The part is of another content: the store sends the whole file instead of the rest.
        hub.once(store(), answer -> answer.damaged().with("ETag", "\"before\"").cut(100_000));
        assertWhole(pull());
        assertEquals("\"before\"", hub.requests(store()).get(1).headers().get("if-range"));
    }

    @Test
    void aStoreThatIgnoresIfRangeIsSeenThrough() throws IOException {
        hub.once(store(), answer -> answer.cut(100_000))
                .once(
                        store(),
                        answer -> new Served(206, answer.headers(), answer.body(), answer.sent(), false)
                                .with("ETag", "\"new\""));
        assertWhole(pull());
        assertFalse(hub.requests(store()).get(2).has("range"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes 0-299999/300000", "bytes 5-6/7", "bytes x", ""})
    void aPartFromElsewhereIsNotTaken(String range) throws IOException {
        hub.once(store(), answer -> answer.cut(100_000)).once(store(), answer -> answer.with("Content-Range", range));
        assertWhole(pull());
        assertFalse(hub.requests(store()).get(2).has("range"));
    }

    @Test
    void aStoreWithoutRangesSendsAll() throws IOException {
        hub.once(store(), answer -> answer.cut(100_000))
                .once(store(), answer -> Served.of(200, repository.content(WEIGHTS)));
        assertWhole(pull());
        hub.once(store(), answer -> answer.cut(100_000)).once(store(), answer -> Served.of(416, new byte[0]));
        Files.delete(blobs().resolve(repository.etag(WEIGHTS)));
        assertWhole(pull());
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void aBusyHubIsAskedAgain(int status) throws IOException {
        for (String what : List.of("/revision/", "/tree/", "/resolve/", "/store/")) {
            hub.once(what, answer -> Served.refusal(status, ""));
        }
        assertWhole(pull());
        assertEquals(4, waits.size());
        assertTrue(waits.stream().allMatch(wait -> wait.toMillis() <= 1000), waits.toString());
    }

    @Test
    void aHubThatStaysBusyIsGivenUp() {
        hub.always("/revision/", answer -> Served.refusal(503, ""));
        assertSays(HubException.class, this::pull, "503", "4 tries");
        assertEquals(4, hub.requests("").size());
        List<Duration> grown = List.copyOf(waits);
        assertTrue(grown.get(2).compareTo(Duration.ofSeconds(1)) >= 0
                && grown.get(2).compareTo(Duration.ofSeconds(2)) <= 0);
    }

    @Test
    void retryAfterIsObeyed() throws IOException {
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(
                ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(90));
        hub.once("/revision/", answer -> Served.refusal(429, "").with("Retry-After", "7"))
                .once("/revision/", answer -> Served.refusal(503, "").with("Retry-After", date))
                .once("/revision/", answer -> Served.refusal(429, "").with("RateLimit", "\"api\";r=0;t=55"));
        List<String> notes = new ArrayList<>();
        hub(options())
                .pull(
                        NAME,
                        new PullListener() {
                            @Override
                            public void onProgress(PullProgress progress) {}

                            @Override
                            public void onNote(String note) {
                                notes.add(note);
                            }
                        },
                        null);
        assertEquals(Duration.ofSeconds(7), waits.get(0));
        assertTrue(waits.get(1).toSeconds() > 60 && waits.get(1).toSeconds() <= 90, waits.toString());
        assertEquals(Duration.ofSeconds(55), waits.get(2));
        assertTrue(notes.get(0).contains("429") && notes.get(0).contains("in 7 s"), notes.toString());
        hub.once("/revision/", answer -> Served.refusal(429, "").with("Retry-After", "86400"));
        assertSays(HubException.class, this::pull, "86400 s", "too long");
    }

    @Test
    void wrongBytesAreThrownAway() {
        hub.always("config.json", answer -> answer.damaged());
        assertSays(HubException.class, this::pull, "config.json", "SHA-1", repository.blobId("config.json"));
        hub.sound().always(store(), answer -> answer.damaged());
        assertSays(HubException.class, this::pull, WEIGHTS, "SHA-256", repository.sha256(WEIGHTS));
        assertFalse(Files.exists(incomplete(WEIGHTS)));
        assertFalse(Files.exists(blobs().resolve(repository.etag(WEIGHTS))));
    }

    @Test
    void piecesThatDoNotFitTogetherAreBegunAgainOnce() throws IOException {
        hub.once(store(), answer -> answer.damaged().cut(200_000));
        assertWhole(pull());
        Files.delete(blobs().resolve(repository.etag(WEIGHTS)));
        hub.sound().once(store(), answer -> answer.damaged().cut(200_000)).always(store(), answer -> answer.damaged());
        assertSays(HubException.class, this::pull, "SHA-256");
    }

    @Test
    void wrongSizesAreToldBeforeTheBytesCome() {
        hub.always("config.json", answer -> answer.with("Content-Encoding", "gzip"));
        assertSays(HubException.class, this::pull, "gzip");
        hub.sound().always(store(), answer -> answer.body(Arrays.copyOf(answer.body(), 299_999)));
        assertSays(HubException.class, this::pull, WEIGHTS, "299999 bytes", "300000");
        hub.sound().always(store(), answer -> answer.body(Arrays.copyOf(answer.body(), 300_001)));
        assertSays(HubException.class, this::pull, "300001 bytes");
        hub.sound().always(WEIGHTS, answer -> answer.with("X-Linked-Size", "5"));
        assertSays(HubException.class, this::pull, "its size is 5");
        hub.sound().always(WEIGHTS, answer -> answer.with("X-Linked-Etag", "\"abc\""));
        assertSays(HubException.class, this::pull, "its hash is abc");
        hub.sound().always(WEIGHTS, answer -> answer.with("X-Repo-Commit", "abc"));
        assertSays(HubException.class, this::pull, "its commit is abc");
    }

    @Test
    void aBodyWithoutALengthEndsWhereItShould() throws IOException {
        hub.always("/store/", answer -> answer.with("Transfer-Encoding", "identity"));
        assertWhole(pull());
        Files.delete(blobs().resolve(repository.etag(WEIGHTS)));
        byte[] more = Arrays.copyOf(repository.content(WEIGHTS), 400_000);
        hub.sound()
                .always(
                        store(),
                        answer -> answer.with("Transfer-Encoding", "identity").body(more));
        assertSays(HubException.class, this::pull, "more than 300000");
    }

    @Test
    void aDiskThatFailsIsToldAndNotTriedAgain() throws IOException {
        Files.createDirectories(blobs());
        Files.createDirectories(incomplete(WEIGHTS).resolve("in the way"));
        assertSays(HubException.class, this::pull, incomplete(WEIGHTS).toString(), "cannot be written");
        assertTrue(waits.isEmpty());
        Files.delete(incomplete(WEIGHTS).resolve("in the way"));
        Files.delete(incomplete(WEIGHTS));
        Files.write(folder.resolve("other"), new byte[3]);
        Files.createSymbolicLink(incomplete(WEIGHTS), folder.resolve("other"));
        assertThrows(HubException.class, this::pull);
        assertEquals(3, Files.size(folder.resolve("other")), "nobody writes through a link");
        Files.writeString(folder.resolve("file"), "");
        assertSays(
                HubException.class,
                () -> hub(options().cache(folder.resolve("file"))).pull(NAME),
                "file");
    }
}
