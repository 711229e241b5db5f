package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.InsufficientDiskSpaceException;
import io.github.internvl4j.error.ModelNotFoundException;
import io.github.internvl4j.testhub.Served;
import io.github.internvl4j.testhub.TestRepository;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A hub that lists what it should not: nothing of it reaches the disk. */
class HubListingTest extends HubFixture {
    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private String list(String more) {
        return WANTED.stream()
                .map(repository::entry)
                .collect(Collectors.joining(",", "[", more.isEmpty() ? "]" : "," + more + "]"));
    }

    private void assertRefused(String list, String... words) {
        hub.sound().once("/tree/", answer -> answer.body(utf8(list)));
        assertSays(HubException.class, this::pull, words);
        assertFalse(Files.exists(cache), list);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../config.json",
                "/etc/config.json",
                "a/../../b.json",
                "a//b.json",
                "./b.json",
                "",
                "a\\\\..\\\\b.json",
                "a\\u0000b.json",
                "a\\nb.json",
                "a\\u001b[31m.json",
                ".."
            })
    void namesThatLeadElsewhereRefuseTheWhole(String path) {
        assertRefused(list(repository.entry("README.md").replace("README.md", path)), "the name of a file");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model 1.safetensors",
                "Config.json",
                "-rf.json",
                "m\u00f6del.safetensors",
                "\u202econfig.json",
                "a:b.json",
                "~.json",
                "config.json",
                "$HOME.json",
                "con\u0131fig*.json"
            })
    void oddNamesOfTheCheckpointsFilesRefuseTheWhole(String path) {
        assertRefused(list(repository.entry("README.md").replace("README.md", path)), NAME + " lists");
    }

    @Test
    void oddNamesOfOtherFilesAreNobodysBusiness() throws IOException {
        repository.with("examples/\u00e4 b.json", "{}").with("b c.py", "");
        assertWhole(pull());
    }

    @Test
    void numbersAndHashesAreLookedAt() {
        String entry = repository.entry("config.json");
        String size = "\"size\":" + repository.content("config.json").length;
        for (String wrong : List.of("-1", "1e3", "\"5\"", "null", "9223372036854775807", "99999999999999999999")) {
            assertRefused(list("").replace(size, "\"size\":" + wrong), "the size of config.json");
        }
        for (String wrong :
                List.of("abc", "../../x", repository.blobId("config.json").toUpperCase())) {
            assertRefused(list("").replace(repository.blobId("config.json"), wrong), "40 hexadecimal digits");
        }
        assertRefused(list("").replace(repository.sha256(WEIGHTS), "/etc/passwd"), "SHA-256");
        assertTrue(entry.contains(size));
    }

    @Test
    void sizesThatAddUpToTooMuchHaveNoRoom() {
        hub.once("/tree/", answer -> answer.body(utf8(list("").replaceAll("\"size\":\\d+", "\"size\":" + (1L << 50)))));
        free = 1L << 50;
        assertSays(InsufficientDiskSpaceException.class, this::pull, "TiB");
        // More than a long holds.
        String large = repository.entry(WEIGHTS).replaceAll("\"size\":\\d+", "\"size\":" + (1L << 50));
        String many = IntStream.range(0, 9000)
                .mapToObj(i -> large.replace(WEIGHTS, i + ".safetensors"))
                .collect(Collectors.joining(","));
        hub.sound().once("/tree/", answer -> answer.body(utf8(list(many))));
        assertSays(InsufficientDiskSpaceException.class, this::pull, "TiB");
        assertFalse(Files.exists(cache));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "null", "[1]", "[{}]", "[[]]", "\"x\"", "[{\"path\": 5}]"})
    void listsThatAreNone(String list) {
        assertRefused(list, "answers nonsense");
    }

    @Test
    void answersThatAreNoJsonOrTooLong() {
        assertRefused("[", "JSON");
        assertRefused("", "answers nonsense");
        assertRefused("[".repeat(5000), "JSON");
        assertRefused(" ".repeat((32 << 20) + 1), "more than 32.0 MiB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"sha\": \"../../x\"}", "{\"sha\": 5}", "{\"sha\": \"abc\"}", "[]"})
    void commitsThatAreNone(String answer) {
        hub.once("/revision/", before -> before.body(utf8(answer)));
        assertSays(HubException.class, this::pull, "sha is", "40 hexadecimal digits");
        assertFalse(Files.exists(cache));
    }

    @Test
    void listsGoOnOverPagesButNotForever() throws IOException {
        String tree = "/api/models/" + NAME + "/tree/" + repository.commit();
        List<String> files = WANTED;
        String first = files.subList(0, 3).stream().map(repository::entry).collect(Collectors.joining(",", "[", "]"));
        String rest = files.subList(3, files.size()).stream()
                .map(repository::entry)
                .collect(Collectors.joining(",", "[", "]"));
        hub.once(
                        "/tree/",
                        answer -> answer.body(utf8(first))
                                .with("Link", "<" + hub.endpoint() + tree + "?cursor=2>; rel=\"next\""))
                .once("cursor=2", answer -> answer.body(utf8(rest)));
        assertWhole(pull());
        repository.with("config.json", "{}");
        hub.always("/tree/", answer -> answer.body(utf8("[]")).with("Link", "<?cursor=3>; rel=\"next\""));
        assertSays(HubException.class, this::pull, "without an end");
        hub.sound().always("/tree/", answer -> answer.with("Link", "<::>; rel=\"next\""));
        assertSays(HubException.class, this::pull, "no address");
    }

    @Test
    void whatIsNoCheckpointIsToldBeforeAnythingIsFetched() {
        hub.with(new TestRepository("org/text").with("README.md", "x").with("model.safetensors", "x"));
        assertSays(HubException.class, () -> hub(options()).pull("org/text"), "no config.json");
        hub.with(new TestRepository("org/pickles").with("config.json", "{}").with("pytorch_model.bin", "x"));
        assertSays(HubException.class, () -> hub(options()).pull("org/pickles"), "pickles");
        assertEquals(List.of(), hub.requests("/resolve/"));
        assertFalse(Files.exists(cache));
    }

    @Test
    void aFileThatVanishedIsToldSo() {
        hub.always("tokenizer.model", answer -> Served.refusal(404, "EntryNotFound"));
        assertSays(ModelNotFoundException.class, this::pull, "tokenizer.model");
    }

    @Test
    void foldersOfTheCacheMayBeLinks() throws IOException {
        Path disk = Files.createDirectories(folder.resolve("disk/blobs"));
        Path model = Files.createDirectories(cache.resolve("models--org--model-1B"));
        Files.createSymbolicLink(model.resolve("blobs"), disk);
        assertWhole(pull());
        assertTrue(Files.exists(disk.resolve(repository.etag(WEIGHTS))));
    }
}
