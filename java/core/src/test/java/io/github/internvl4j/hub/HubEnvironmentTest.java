package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The variables of Hugging Face's tools. */
class HubEnvironmentTest {
    @TempDir
    Path folder;

    private static HubOptions of(String... pairs) {
        Map<String, String> variables = new HashMap<>(Map.of("HOME", "/home/x"));
        for (int i = 0; i < pairs.length; i += 2) {
            variables.put(pairs[i], pairs[i + 1]);
        }
        return HubOptions.fromEnvironment(variables);
    }

    @Test
    void withoutAnyItIsThePublicHubAndTheUsualCache() {
        HubOptions options = of();
        assertEquals(URI.create("https://huggingface.co"), options.endpoint());
        assertEquals(Path.of("/home/x/.cache/huggingface/hub"), options.cache());
        assertNull(options.token());
        assertFalse(options.offline());
    }

    @Test
    void theCacheIsWhereTheNearestVariableSays() {
        assertEquals(Path.of("/c/huggingface/hub"), of("XDG_CACHE_HOME", "/c").cache());
        assertEquals(
                Path.of("/h/hub"), of("XDG_CACHE_HOME", "/c", "HF_HOME", "/h").cache());
        assertEquals(
                Path.of("/hub"),
                of("XDG_CACHE_HOME", "/c", "HF_HOME", "/h", "HF_HUB_CACHE", "/hub")
                        .cache());
        assertEquals(Path.of("/home/x/models"), of("HF_HUB_CACHE", "~/models").cache());
        assertEquals(
                Path.of("/data/x/$none"),
                of("HF_HUB_CACHE", "$BIG/${WHO}/$none", "BIG", "/data", "WHO", "x")
                        .cache());
        assertEquals(
                Path.of("/home/x/.cache/huggingface/hub"), of("HF_HOME", " ").cache());
        assertTrue(of("HF_HUB_CACHE", "here").cache().isAbsolute());
    }

    @Test
    void theTokenIsAVariableOrAFile() throws IOException {
        Files.writeString(folder.resolve("token"), "hf_file\n");
        Files.writeString(folder.resolve("other"), " hf_other ");
        String home = folder.toString();
        assertEquals("hf_file", of("HF_HOME", home).token());
        assertEquals(
                "hf_other",
                of("HF_HOME", home, "HF_TOKEN_PATH", home + "/other").token());
        assertEquals("hf_set", of("HF_HOME", home, "HF_TOKEN", "hf_set\n").token());
        Files.writeString(folder.resolve("token"), "\n");
        assertNull(of("HF_HOME", home).token());
        for (String wrong : new String[] {"two words", "a\r\nHost: b", "ä"}) {
            InvalidOptionException failure = assertThrows(InvalidOptionException.class, () -> of("HF_TOKEN", wrong));
            assertTrue(failure.getMessage().startsWith("HF_TOKEN is not shown"), failure.getMessage());
        }
        Files.write(folder.resolve("token"), new byte[5000]);
        assertTrue(assertThrows(InvalidOptionException.class, () -> of("HF_HOME", home))
                .getMessage()
                .contains("token"));
    }

    @Test
    void offlineIsWhatTheToolsTakeForYes() {
        for (String yes : new String[] {"1", "true", "ON", "Yes"}) {
            assertTrue(of("HF_HUB_OFFLINE", yes).offline(), yes);
        }
        for (String no : new String[] {"0", "", "false", "no"}) {
            assertFalse(of("HF_HUB_OFFLINE", no).offline(), no);
        }
    }

    @Test
    void endpointsAreAddresses() {
        assertEquals(
                URI.create("http://mirror:8080/hf"),
                of("HF_ENDPOINT", "http://mirror:8080/hf/").endpoint());
        for (String wrong :
                new String[] {"mirror", "ftp://mirror", "https://", "https://a:b@c", "https://c?d", "https://c#d", "a b"
                }) {
            InvalidOptionException failure = assertThrows(InvalidOptionException.class, () -> of("HF_ENDPOINT", wrong));
            assertTrue(failure.getMessage().startsWith("HF_ENDPOINT is '" + wrong), failure.getMessage());
        }
    }

    @Test
    void optionsHaveRanges() {
        HubOptions options = of();
        assertThrows(InvalidOptionException.class, () -> options.connections(0));
        assertThrows(InvalidOptionException.class, () -> options.connections(17));
        assertThrows(InvalidOptionException.class, () -> options.retries(-1));
        assertThrows(InvalidOptionException.class, () -> options.timeout(Duration.ZERO));
        assertEquals(16, options.connections(16).connections());
    }
}
