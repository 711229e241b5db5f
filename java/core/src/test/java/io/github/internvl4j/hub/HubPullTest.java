package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.InsufficientDiskSpaceException;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A download that nothing disturbs: what is fetched and where it lies. */
class HubPullTest extends HubFixture {
    @Test
    void theCacheIsLaidOutAsOtherToolsDo() throws IOException {
        Path snapshot = pull();
        assertWhole(snapshot);
        Path model = cache.resolve("models--org--model-1B");
        assertEquals(repository.commit(), Files.readString(model.resolve("refs/main")));
        for (String file : WANTED) {
            Path link = Files.readSymbolicLink(snapshot.resolve(file));
            assertEquals(Path.of("../../blobs").resolve(repository.etag(file)), link);
        }
        JsonNode tree = new ObjectMapper()
                .readTree(
                        model.resolve("trees/" + repository.commit() + ".json").toFile());
        assertEquals(1, tree.get("format_version").asInt());
        JsonNode weights = tree.get("files").get(WEIGHTS);
        assertEquals(300_000, weights.get("size").asInt());
        assertEquals(repository.blobId(WEIGHTS), weights.get("blob_id").asText());
        assertEquals(repository.sha256(WEIGHTS), weights.get("lfs_sha256").asText());
        assertTrue(tree.get("files").has("README.md"), "all of the commit's files are listed, as other tools rely on");
        assertEquals(
                WANTED.size(),
                names(cache.resolve(".locks/models--org--model-1B")).size());
        assertTrue(hub.requests(".py").isEmpty()
                && hub.requests(".bin").isEmpty()
                && hub.requests("README").isEmpty());
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws IOException {
        Path snapshot = pull();
        hub.forgetRequests();
        assertEquals(snapshot, pull());
        assertEquals(1, hub.requests("").size(), "only what main is now");
        hub.forgetRequests();
        assertEquals(snapshot, hub(options()).pull(NAME + "@" + repository.commit()));
        assertEquals(0, hub.requests("").size(), "a commit never changes");
        Files.delete(snapshot.resolve("config.json"));
        assertWhole(pull());
        assertEquals(0, hub.requests("/resolve/").size(), "the blob was there");
    }

    @Test
    void aNewCommitTakesOnlyWhatIsNew() throws IOException {
        Path before = pull();
        repository.with("config.json", "{\"architectures\": [], \"new\": 1}");
        hub.forgetRequests();
        assertWhole(pull());
        assertEquals(1, hub.requests("/resolve/").size());
        assertTrue(Files.exists(before.resolve("config.json")), "the old snapshot stays");
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "refs/pr/7"})
    void branchesAndTagsHaveNamesOfTheirOwn(String revision) throws IOException {
        repository.revision(revision);
        assertWhole(hub(options()).pull(NAME + "@" + revision));
        Path refs = cache.resolve("models--org--model-1B/refs");
        assertEquals(repository.commit(), Files.readString(refs.resolve(revision)));
        assertFalse(Files.exists(refs.resolve("main")));
        assertTrue(hub(options()).find(NAME + "@" + revision).isPresent());
        assertEquals(Optional.empty(), hub(options()).find(NAME));
    }

    @Test
    void progressIsToldOnTheCallersThread() {
        List<PullProgress> told = new ArrayList<>();
        Thread caller = Thread.currentThread();
        hub(options())
                .pull(
                        NAME,
                        progress -> {
                            assertEquals(caller, Thread.currentThread());
                            told.add(progress);
                        },
                        null);
        long total = WANTED.stream()
                .mapToLong(file -> repository.content(file).length)
                .sum();
        assertEquals(new PullProgress(0, WANTED.size(), 0, total), told.get(0).bytesDone() == 0 ? told.get(0) : null);
        assertEquals(new PullProgress(WANTED.size(), WANTED.size(), total, total), told.get(told.size() - 1));
    }

    @Test
    void withoutRoomNothingIsWritten() {
        free = 2_000_000;
        assertSays(InsufficientDiskSpaceException.class, this::pull, NAME, "2.7 MiB", "1.9 MiB", "HF_HUB_CACHE");
        assertFalse(Files.exists(cache));
        assertTrue(hub.requests("/resolve/").isEmpty());
    }

    @Test
    void whatIsThereNeedsNoRoom() throws IOException {
        hub.always(
                "/store/" + repository.sha256(WEIGHTS),
                answer -> answer.cut(200_000).without("ETag"));
        assertThrows(
                HubException.class,
                () -> hub(options().retries(0).connections(1)).pull(NAME));
        hub.sound();
        long left = repository.content(WEIGHTS).length
                + repository.content("model-00002-of-00002.safetensors").length
                - Files.size(incomplete(WEIGHTS));
        assertTrue(left < 2_800_000);
        free = left - 1;
        assertThrows(InsufficientDiskSpaceException.class, this::pull);
        free = left;
        assertWhole(pull());
    }

    @Test
    void whoListensMayStopIt() {
        IllegalStateException stop = new IllegalStateException("enough");
        assertEquals(
                stop,
                assertThrows(
                        IllegalStateException.class,
                        () -> hub(options())
                                .pull(
                                        NAME,
                                        progress -> {
                                            throw stop;
                                        },
                                        null)));
        assertEquals(Optional.empty(), hub(options()).find(NAME));
    }

    @Test
    void aPullIsCancelledAndInterruptedWhileNothingComes() throws Exception {
        hub.always("/store/", answer -> answer.silent(1000));
        Cancellation cancellation = new Cancellation();
        assertThrows(
                CancellationException.class,
                () -> hub(options()).pull(NAME, progress -> cancellation.cancel(), cancellation));
        Thread caller = Thread.currentThread();
        assertThrows(
                CancellationException.class, () -> hub(options()).pull(NAME, progress -> caller.interrupt(), null));
        assertTrue(Thread.interrupted());
        hub.sound();
        assertWhole(pull());
    }

    @Test
    void namesThatAreNone() {
        for (String name : List.of(
                "",
                "model",
                "/etc",
                "../x",
                "a/..",
                "a/b/c",
                "a/.b",
                "a/b--c",
                "a/b@",
                "a/b@../x",
                "a/b@-x",
                "a/b@x..y",
                "a/b@x/",
                "a/b@.x",
                "a/b@x.lock",
                "a/b?c",
                "a b/c",
                "ä/b",
                "a/b.git",
                "a/b@\n",
                "https://a/b")) {
            assertSays(InvalidOptionException.class, () -> hub(options()).pull(name), "ORG/NAME");
        }
        assertTrue(hub.requests("").isEmpty());
        assertEquals("main", ModelName.parse("OpenGVLab/InternVL-Chat-V1-2").revision());
        assertEquals("models--a_b--c.d", ModelName.parse("a_b/c.d@v+1").folder());
    }
}
