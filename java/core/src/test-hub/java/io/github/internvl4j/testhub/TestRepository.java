package io.github.internvl4j.testhub;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A model that the test's hub has: one commit, the branch main and perhaps other names of it. */
public final class TestRepository {
    private final String name;
    private final Map<String, byte[]> files = new TreeMap<>();
    private final Set<String> revisions = new TreeSet<>(Set.of("main"));

    public TestRepository(String name) {
        this.name = name;
    }

    /** All files of a folder. */
    public static TestRepository of(String name, Path folder) throws IOException {
        TestRepository repository = new TestRepository(name);
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                repository.with(folder.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return repository;
    }

    public String name() {
        return name;
    }

    public TestRepository with(String file, byte[] content) {
        files.put(file, content);
        return this;
    }

    public TestRepository with(String file, String content) {
        return with(file, content.getBytes(StandardCharsets.UTF_8));
    }

    public TestRepository revision(String another) {
        revisions.add(another);
        return this;
    }

    public byte[] content(String file) {
        return files.get(file);
    }

    /** Changes with the contents. */
    public String commit() {
        return hash(
                "SHA-1",
                files.entrySet().stream()
                        .map(file -> file.getKey() + " " + sha256(file.getKey()))
                        .collect(Collectors.joining("\n"))
                        .getBytes(StandardCharsets.UTF_8));
    }

    public String sha256(String file) {
        return hash("SHA-256", files.get(file));
    }

    /** Git's id. */
    public String blobId(String file) {
        byte[] content = files.get(file);
        byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[head.length + content.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(content, 0, all, head.length, content.length);
        return hash("SHA-1", all);
    }

    /** The name of its content in the cache. */
    public String etag(String file) {
        return isLarge(file) ? sha256(file) : blobId(file);
    }

    public static boolean isLarge(String file) {
        return file.endsWith(".safetensors") || file.endsWith(".model") || file.endsWith(".bin");
    }

    private static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Null for what is not about this model. */
    Served answer(TestHub.Request request, URI elsewhere) {
        String target = request.target();
        String model = "/api/models/" + name;
        if (target.startsWith(model + "/revision/")) {
            String revision = target.substring(model.length() + 10).replace("%2F", "/");
            boolean known = revisions.contains(revision) || revision.equals(commit());
            return known ? json("{\"sha\":\"" + commit() + "\"}") : Served.refusal(404, "RevisionNotFound");
        }
        if (target.startsWith(model + "/tree/" + commit())) {
            return json(files.keySet().stream().map(this::entry).collect(Collectors.joining(",", "[", "]")));
        }
        String resolve = "/" + name + "/resolve/" + commit() + "/";
        if (target.startsWith(resolve)) {
            String file = target.substring(resolve.length());
            return files.containsKey(file) ? resolved(request, file, elsewhere) : Served.refusal(404, "EntryNotFound");
        }
        return files.keySet().stream()
                .filter(file -> target.startsWith("/store/" + sha256(file) + "?"))
                .findFirst()
                .map(file ->
                        ranged(request, Served.of(200, files.get(file)).with("ETag", "\"store-" + blobId(file) + "\"")))
                .orElse(null);
    }

    private static Served json(String text) {
        return Served.of(200, text.getBytes(StandardCharsets.UTF_8)).with("Content-Type", "application/json");
    }

    /** As the hub lists a file. */
    public String entry(String file) {
        int size = files.get(file).length;
        String common =
                "{\"type\":\"file\",\"oid\":\"" + blobId(file) + "\",\"size\":" + size + ",\"path\":\"" + file + "\"";
        return common
                + (isLarge(file)
                        ? ",\"lfs\":{\"oid\":\"" + sha256(file) + "\",\"size\":" + size + ",\"pointerSize\":134}}"
                        : "}");
    }

    private Served resolved(TestHub.Request request, String file, URI elsewhere) {
        if (!isLarge(file)) {
            Served all = Served.of(200, files.get(file)).with("ETag", "\"" + blobId(file) + "\"");
            return ranged(request, all.with("X-Repo-Commit", commit()));
        }
        return Served.of(302, new byte[0])
                .with("Location", elsewhere + "/store/" + sha256(file) + "?Signature=secret")
                .with("X-Repo-Commit", commit())
                .with("X-Linked-Size", String.valueOf(files.get(file).length))
                .with("X-Linked-Etag", "\"" + sha256(file) + "\"");
    }

    private static Served ranged(TestHub.Request request, Served all) {
        String range = request.headers().getOrDefault("range", "");
        String only = request.headers().getOrDefault("if-range", all.headers().get("ETag"));
        if (range.isEmpty() || !only.equals(all.headers().get("ETag"))) {
            return all;
        }
        int first = Integer.parseInt(range.replaceAll("\\D", ""));
        return first < all.body().length ? all.from(first) : Served.of(416, new byte[0]);
    }
}
