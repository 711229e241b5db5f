package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.internvl4j.error.NotCachedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names of what is in the cache; the network has no part in it. */
class HubFindTest extends HubFixture {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    @AfterEach
    void nobodyWasAsked() {
        assertEquals(
                0,
                hub.requests("").stream()
                        .filter(request -> request.target().contains("org/other"))
                        .count());
    }

    /** As another tool leaves it: without a list of files. */
    private Path snapshot(String... files) throws IOException {
        Path model = cache.resolve("models--org--other");
        Path snapshot = Files.createDirectories(model.resolve("snapshots").resolve(COMMIT));
        Files.createDirectories(model.resolve("refs"));
        Files.writeString(model.resolve("refs/main"), COMMIT);
        for (String file : files) {
            Files.writeString(
                    snapshot.resolve(file), "{\"weight_map\": {\"a\": \"a.safetensors\", \"b\": \"b.safetensors\"}}");
        }
        return snapshot;
    }

    @Test
    void whatOtherToolsDownloadedIsFound() throws IOException {
        Path snapshot = snapshot("config.json", "model.safetensors");
        Hub offline = hub(options().offline(true));
        assertEquals(Optional.of(snapshot), offline.find("org/other"));
        assertEquals(Optional.of(snapshot), offline.find("org/other@main"));
        assertEquals(Optional.of(snapshot), offline.find("org/other@" + COMMIT));
        assertEquals(snapshot, offline.pull("org/other"));
        assertEquals(snapshot, offline.resolve("org/other"));
    }

    @Test
    void partsAreNotTakenForTheWhole() throws IOException {
        snapshot("config.json");
        assertSays(
                NotCachedException.class,
                () -> hub(options()).resolve("org/other"),
                "only in part",
                "internvl4j pull org/other\"");
        snapshot("model.safetensors.index.json", "a.safetensors");
        assertEquals(Optional.empty(), hub(options()).find("org/other"));
        Path snapshot = snapshot("b.safetensors");
        assertEquals(Optional.of(snapshot), hub(options()).find("org/other"));
        Files.createDirectories(snapshot.resolve("../../trees"));
        Path list = snapshot.resolve("../../trees/" + COMMIT + ".json");
        String entry = "{\"size\": 5, \"blob_id\": \"x\"}";
        Files.writeString(list, "{\"format_version\": 1, \"files\": {\"tokenizer.model\": " + entry + "}}");
        assertEquals(Optional.empty(), hub(options()).find("org/other"));
        for (String unreadable :
                new String[] {"{\"format_version\": 2}", "[", "{\"format_version\": 1, \"files\": 5}", ""}) {
            Files.writeString(list, unreadable);
            assertEquals(Optional.of(snapshot), hub(options()).find("org/other"), unreadable);
        }
    }

    @Test
    void refsThatAreNone() throws IOException {
        Path ref = snapshot("config.json", "model.safetensors").resolve("../../refs/main");
        for (String text : new String[] {"", "../../../x", "x".repeat(200)}) {
            Files.writeString(ref, text);
            assertEquals(Optional.empty(), hub(options()).find("org/other"), text);
        }
        Files.writeString(ref, COMMIT + "\n");
        assertEquals(
                COMMIT,
                hub(options()).find("org/other").orElseThrow().getFileName().toString());
    }

    @Test
    void foldersWin() throws IOException {
        Path here = Path.of("target");
        assertEquals(here.resolve("classes"), hub(options()).resolve("target/classes"));
        assertEquals(folder, hub(options()).resolve(folder.toString()));
        for (String path : new String[] {"/nowhere/a", "nowhere", "a/b/c", "./a/b", "https://a/b"}) {
            assertEquals(Path.of(path), hub(options()).resolve(path), "loading says what is wrong");
        }
        assertSays(
                NotCachedException.class,
                () -> hub(options()).resolve("org/other@v1"),
                cache.toString(),
                "no folder here",
                "internvl4j pull org/other@v1");
    }

    @Test
    void offlineNothingIsAsked() {
        assertSays(NotCachedException.class, () -> hub(options().offline(true)).pull("org/other"), "HF_HUB_OFFLINE");
    }
}
