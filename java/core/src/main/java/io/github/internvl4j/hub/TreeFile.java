package io.github.internvl4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A commit's list of files in the cache, {@code trees/COMMIT.json}: it tells whether a snapshot is whole. */
final class TreeFile {
    private static final int VERSION = 1;
    private static final long LARGEST = 64L << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private TreeFile() {}

    static byte[] bytes(List<RemoteFile> files) throws IOException {
        ObjectNode root = JSON.createObjectNode().put("format_version", VERSION);
        ObjectNode entries = root.putObject("files");
        for (RemoteFile file : files) {
            ObjectNode entry =
                    entries.putObject(file.path()).put("size", file.size()).put("blob_id", file.blobId());
            if (file.sha256() != null) {
                entry.put("lfs_sha256", file.sha256()).put("lfs_size", file.size());
            }
            if (file.xetHash() != null) {
                entry.put("xet_hash", file.xetHash());
            }
        }
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    }

    /** The sizes of the checkpoint's files by their names; empty if there is no such list, or it is none that can be read. */
    static Optional<Map<String, Long>> sizes(Path file) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > LARGEST) {
                return Optional.empty();
            }
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (root.path("format_version").asInt() != VERSION
                    || !root.path("files").isObject()) {
                return Optional.empty();
            }
            Map<String, Long> sizes = new HashMap<>();
            for (Map.Entry<String, JsonNode> entry : root.path("files").properties()) {
                if (Selection.isWanted(entry.getKey()) && Selection.isPlain(entry.getKey())) {
                    JsonNode outside = entry.getValue().path("lfs_size");
                    sizes.put(
                            entry.getKey(),
                            (outside.isNumber() ? outside : entry.getValue().path("size")).asLong(-1));
                }
            }
            return Optional.of(sizes);
        } catch (IOException e) {
            return Optional.empty(); // it only saves asking
        }
    }
}
