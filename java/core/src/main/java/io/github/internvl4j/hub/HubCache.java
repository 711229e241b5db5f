package io.github.internvl4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.HubException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One model's part of the cache, in the layout of Hugging Face's tools: {@code blobs/HASH} the contents, {@code
 * snapshots/COMMIT/FILE} links to them, {@code refs/REVISION} the commit that a revision was, {@code trees/COMMIT.json} what there
 * is of a commit; and beside the models {@code .locks}.
 */
final class HubCache {
    private static final long LONGEST_REF = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Path locks;

    HubCache(Path cache, ModelName name) {
        folder = cache.resolve(name.folder());
        locks = cache.resolve(".locks").resolve(name.folder());
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    Path blob(RemoteFile file) {
        return folder.resolve("blobs").resolve(file.etag());
    }

    /** What is there of a blob. A name of our own: other programs' locks are not ours, and nobody else may write to it. */
    Path incomplete(RemoteFile file) {
        return folder.resolve("blobs").resolve(file.etag() + ".internvl4j.incomplete");
    }

    /** Does something that only one thread of all processes may do with a blob. */
    void locked(RemoteFile file, Runnable waiting, BlobLock.Task task) throws IOException, InterruptedException {
        BlobLock.during(locks, file.etag() + ".lock", waiting, task);
    }

    /** The commit that a revision was when it was downloaded last; null if it never was. */
    @Nullable
    String commit(ModelName name) {
        if (name.isExact()) {
            return name.revision();
        }
        Path ref = folder.resolve("refs").resolve(name.revision());
        try {
            if (!Files.isRegularFile(ref) || Files.size(ref) > LONGEST_REF) {
                return null;
            }
            String commit = Files.readString(ref).strip();
            return ModelName.isCommit(commit) ? commit : null;
        } catch (IOException e) {
            throw new HubException(FileProblems.describe(ref, "read", e), e);
        }
    }

    /** Whether a blob is there as it should be; its hash was looked at before it got its name. */
    boolean hasBlob(RemoteFile file) {
        return hasSize(blob(file), file.size());
    }

    /** Whether a snapshot has a file. */
    boolean hasFile(String commit, RemoteFile file) {
        return hasSize(snapshot(commit).resolve(file.path()), file.size());
    }

    private static boolean hasSize(Path file, long size) {
        try {
            return Files.isRegularFile(file) && Files.size(file) == size;
        } catch (IOException e) {
            return false;
        }
    }

    /** Bytes of a file that need not be downloaded. */
    long bytesHere(String commit, RemoteFile file) {
        if (hasFile(commit, file) || hasBlob(file)) {
            return file.size();
        }
        try {
            long size = Files.size(incomplete(file));
            return size <= file.size() ? size : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    /**
     * Whether a snapshot has all of the checkpoint: what the list of its commit names, or, where there is none, what the index of
     * its weights does.
     */
    boolean isWhole(String commit) {
        Path snapshot = snapshot(commit);
        return Files.isRegularFile(snapshot.resolve(Selection.CONFIG))
                && hasListed(commit).orElseGet(() -> hasWeights(snapshot));
    }

    /** Whether a snapshot has each of the checkpoint's files that the list of its commit names; empty if there is no list. */
    Optional<Boolean> hasListed(String commit) {
        Path snapshot = snapshot(commit);
        return TreeFile.sizes(tree(commit))
                .map(sizes -> sizes.entrySet().stream()
                        .allMatch(file -> hasSize(snapshot.resolve(file.getKey()), file.getValue())));
    }

    private static boolean hasWeights(Path snapshot) {
        Path index = snapshot.resolve("model.safetensors.index.json");
        try {
            if (!Files.isRegularFile(index)) {
                try (Stream<Path> files = Files.list(snapshot)) {
                    return files.anyMatch(
                            file -> file.toString().endsWith(Selection.WEIGHTS) && Files.isRegularFile(file));
                }
            }
            for (JsonNode shard : JSON.readTree(Files.readAllBytes(index)).path("weight_map")) {
                if (!Files.isRegularFile(snapshot.resolve(shard.asText()))) {
                    return false;
                }
            }
            return true;
        } catch (IOException | InvalidPathException e) {
            return true; // whoever loads it says what is wrong
        }
    }

    private Path tree(String commit) {
        return folder.resolve("trees").resolve(commit + ".json");
    }

    void writeTree(String commit, List<RemoteFile> files) throws IOException {
        replace(tree(commit), TreeFile.bytes(files));
    }

    void writeRef(ModelName name, String commit) throws IOException {
        if (!name.isExact() && !commit.equals(commit(name))) {
            replace(folder.resolve("refs").resolve(name.revision()), commit.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** The folder, made if it is not there. A link to one is one, which {@link Files#createDirectories} of JDK 17 denies. */
    static Path existing(Path folder) throws IOException {
        return Files.isDirectory(folder) ? folder : Files.createDirectories(folder);
    }

    /** Nobody ever sees a part of it. */
    private static void replace(Path file, byte[] content) throws IOException {
        existing(Objects.requireNonNull(file.getParent()));
        Path fresh = unique(file);
        try {
            Files.write(fresh, content);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private static Path unique(Path file) {
        return file.resolveSibling(
                file.getFileName() + "." + UUID.randomUUID().toString().substring(0, 8) + ".tmp");
    }

    /** Puts a blob that is there into a snapshot: a link, which stays right when the cache is moved. */
    void link(String commit, RemoteFile file) throws IOException {
        Path snapshot = existing(snapshot(commit));
        Path place = snapshot.resolve(file.path());
        Path fresh = unique(place);
        Path blob = blob(file);
        try {
            Files.createSymbolicLink(fresh, snapshot.relativize(blob));
        } catch (UnsupportedOperationException | IOException e) {
            Files.move(blob, fresh); // this file system has no links: the file itself, as other tools do it
        }
        try {
            Files.move(fresh, place, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }
}
