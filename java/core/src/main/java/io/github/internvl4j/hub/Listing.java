package io.github.internvl4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.HubException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the hub's answers say of a repository. Nothing in them is trusted: each field is looked at before it is used. */
final class Listing {
    static final int MOST_FILES = 100_000;

    private static final Pattern SHA1 = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern XET = Pattern.compile("[0-9a-f]{64}");
    /** A million gigabytes. */
    private static final long LARGEST = 1L << 50;

    private static final int LONGEST_PATH = 1024;

    private final String address;

    /** @param address where the answers came from, for messages */
    Listing(String address) {
        this.address = address;
    }

    /** The commit that a revision stands for. */
    String commit(JsonNode answer) {
        return matching(answer, "sha", SHA1, "a commit of 40 hexadecimal digits");
    }

    /** A page of the list; folders are left out. */
    List<RemoteFile> files(JsonNode page) {
        if (!page.isArray()) {
            throw wrong("the list of files", "an array", page);
        }
        List<RemoteFile> files = new ArrayList<>();
        for (JsonNode entry : page) {
            String path = path(entry);
            if (!text(entry, "type").equals("directory")) {
                files.add(file(path, entry));
            }
        }
        return files;
    }

    private RemoteFile file(String path, JsonNode entry) {
        JsonNode kept = entry.path("lfs");
        boolean outside = kept.isObject();
        String sha256 = outside ? matching(kept, "oid", SHA256, "a SHA-256 of 64 hexadecimal digits") : null;
        String blobId = matching(entry, "oid", SHA1, "an id of 40 hexadecimal digits");
        return new RemoteFile(path, size(path, outside ? kept : entry), blobId, sha256, xetHash(entry));
    }

    private static @Nullable String xetHash(JsonNode entry) {
        String text = entry.path("xetHash").asText("");
        return XET.matcher(text).matches() ? text : null;
    }

    private long size(String path, JsonNode entry) {
        JsonNode size = entry.path("size");
        if (!size.isIntegralNumber()
                || !size.canConvertToLong()
                || size.longValue() < 0
                || size.longValue() > LARGEST) {
            throw wrong("the size of " + Shown.text(path), "bytes from 0 to " + LARGEST, size);
        }
        return size.longValue();
    }

    /** No repository has names that lead elsewhere; who sends some is no hub. */
    private String path(JsonNode entry) {
        String path = text(entry, "path");
        boolean plain =
                !path.isEmpty() && path.length() <= LONGEST_PATH && path.chars().noneMatch(Character::isISOControl);
        for (String part : path.split("/", -1)) {
            plain &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
        }
        if (!plain || path.contains("\\")) {
            throw wrong("the name of a file", "one below the repository's root", entry.path("path"));
        }
        return path;
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).isTextual() ? node.path(field).textValue() : "";
    }

    private String matching(JsonNode node, String field, Pattern pattern, String expected) {
        String text = text(node, field);
        if (!pattern.matcher(text).matches()) {
            throw wrong(field, expected, node.path(field));
        }
        return text;
    }

    private HubException wrong(String what, String expected, JsonNode found) {
        String shown = found.isMissingNode() ? "nothing" : Shown.text(found.toString());
        return new HubException(address + " answers nonsense: " + what + " is " + shown + ", expected " + expected);
    }
}
