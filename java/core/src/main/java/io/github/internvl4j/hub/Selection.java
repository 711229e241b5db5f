package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Which files of a repository are a checkpoint's own: what the library reads, and nothing that is code or could become some. */
final class Selection {
    static final String CONFIG = "config.json";
    static final String WEIGHTS = ".safetensors";

    private static final List<String> NAMES = List.of("tokenizer.model", "merges.txt");
    private static final List<String> ENDINGS = List.of(WEIGHTS, ".json", ".jinja");
    /** The index of pickles. */
    private static final String PICKLES = ".bin.index.json";

    private static final Pattern PLAIN = Pattern.compile("\\w[\\w.+=-]{0,199}");

    private Selection() {}

    /**
     * The checkpoint's files at the repository's root.
     *
     * @param name whose, for messages
     * @throws HubException if it is no checkpoint in safetensors, or a file has a name that it cannot have here
     */
    static List<RemoteFile> of(ModelName name, List<RemoteFile> all) {
        List<RemoteFile> wanted = new ArrayList<>();
        Map<String, String> seen = new HashMap<>();
        for (RemoteFile file : all) {
            if (isWanted(file.path())) {
                requirePlain(name, file.path());
                String other = seen.put(file.path().toLowerCase(Locale.ROOT), file.path());
                if (other != null) {
                    throw new HubException(name + " lists " + other + " and " + file.path()
                            + ", which are one file where names have no case");
                }
                wanted.add(file);
            }
        }
        requireCheckpoint(name, wanted);
        return wanted;
    }

    static boolean isWanted(String path) {
        return !path.contains("/")
                && !path.startsWith(".")
                && !path.endsWith(PICKLES)
                && (NAMES.contains(path) || ENDINGS.stream().anyMatch(path::endsWith));
    }

    /** Whether a name can be a file's in a snapshot. */
    static boolean isPlain(String path) {
        return PLAIN.matcher(path).matches();
    }

    private static void requirePlain(ModelName name, String path) {
        if (!isPlain(path)) {
            throw new HubException(name + " lists '" + Shown.text(path)
                    + "', a name that no checkpoint's file has: expected letters, digits and . _ + = - alone");
        }
    }

    private static void requireCheckpoint(ModelName name, List<RemoteFile> files) {
        if (files.stream().noneMatch(file -> file.path().equals(CONFIG))) {
            throw new HubException(name + " is no checkpoint: it has no " + CONFIG);
        }
        if (files.stream().noneMatch(file -> file.path().endsWith(WEIGHTS))) {
            throw new HubException(
                    name + " has no weights in safetensors, and others (pickles, GGUF) are neither fetched nor read");
        }
    }
}
