package io.github.internvl4j.hub;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The variables that Hugging Face's tools read, as they read them. */
final class HubEnvironment {
    private static final String ENDPOINT = "https://huggingface.co";
    private static final int CONNECTIONS = 4;
    private static final int RETRIES = 5;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{(\\w+)})");
    private static final long LONGEST_TOKEN_FILE = 4096;

    private final Map<String, String> variables;

    HubEnvironment(Map<String, String> variables) {
        this.variables = variables;
    }

    HubOptions options() {
        URI endpoint = endpoint();
        Path cache = path("HF_HUB_CACHE", home().resolve("hub"));
        boolean offline = TRUE.contains(value("HF_HUB_OFFLINE", "").toUpperCase(Locale.ROOT));
        try {
            return new HubOptions(endpoint, token(), cache, offline, CONNECTIONS, RETRIES, TIMEOUT);
        } catch (InvalidOptionException e) {
            String message = String.valueOf(e.getMessage()).replaceFirst("^endpoint ", "HF_ENDPOINT ");
            throw new InvalidOptionException(message.replaceFirst("^token ", "HF_TOKEN "), e);
        }
    }

    private URI endpoint() {
        String text = value("HF_ENDPOINT", ENDPOINT);
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw new InvalidOptionException("HF_ENDPOINT is '" + Shown.text(text) + "', expected an address", e);
        }
    }

    private Path home() {
        Path caches = path("XDG_CACHE_HOME", userHome().resolve(".cache"));
        return path("HF_HOME", caches.resolve("huggingface"));
    }

    private Path userHome() {
        return Path.of(value("HOME", System.getProperty("user.home", "")));
    }

    private @Nullable String token() {
        String given = value("HF_TOKEN", "");
        if (!given.isEmpty()) {
            return given;
        }
        Path file = path("HF_TOKEN_PATH", home().resolve("token"));
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try {
            if (Files.size(file) > LONGEST_TOKEN_FILE) {
                throw new InvalidOptionException(
                        file + " is no file with a token: it has more than " + LONGEST_TOKEN_FILE + " bytes");
            }
            String kept = Files.readString(file).strip();
            return kept.isEmpty() ? null : kept;
        } catch (IOException e) {
            throw new InvalidOptionException(
                    FileProblems.describe(file, "read", e) + "; it is to hold the hub's token", e);
        }
    }

    /** A variable; one that is blank is none. */
    private String value(String name, String otherwise) {
        String value = variables.getOrDefault(name, "").strip();
        return value.isEmpty() ? otherwise : value;
    }

    /** With {@code ~} and other variables in it, as a shell would have them. */
    private Path path(String name, Path otherwise) {
        String text = value(name, "");
        if (text.isEmpty()) {
            return otherwise;
        }
        if (text.equals("~") || text.startsWith("~/")) {
            text = userHome() + text.substring(1);
        }
        Matcher matcher = VARIABLE.matcher(text);
        return Path.of(matcher.replaceAll(found -> {
            String inner = found.group(1) != null ? found.group(1) : found.group(2);
            return Matcher.quoteReplacement(variables.getOrDefault(inner, found.group()));
        }));
    }
}
