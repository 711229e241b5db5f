package io.github.internvl4j.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What this build has made so far, as a repository would have it. */
final class Built {
    /** Each artifact's folder; a build that does not package has no jar yet. */
    private static final Map<String, String> CONTENTS = Map.of(
            "internvl4j", "core/target/classes",
            "internvl4j-platform", "platform/target/classes",
            "internvl4j-native", "native/target/classes",
            "internvl4j-native:linux-x86_64", "native/target/native");

    private static final Map<String, String> MODULES = Map.of(
            "internvl4j",
            "core",
            "internvl4j-platform",
            "platform",
            "internvl4j-native",
            "native",
            "internvl4j-bom",
            "bom");

    static final String VERSION = property("version");

    private Built() {}

    static String property(String name) {
        String value = System.getProperty("internvl4j." + name);
        if (value == null) {
            throw new IllegalStateException("Maven sets internvl4j." + name);
        }
        return value;
    }

    /** The POM that is published; null for what is not ours. */
    static @Nullable Path pom(String artifact) {
        String module = MODULES.get(artifact);
        return module == null ? null : existing(module + "/target/.flattened-pom.xml");
    }

    /** What is in the jar; null if there is no such jar. */
    static @Nullable Path contents(String artifact, String classifier) {
        String folder = CONTENTS.get(classifier.isEmpty() ? artifact : artifact + ":" + classifier);
        return folder == null ? null : existing(folder);
    }

    private static Path existing(String name) {
        Path path = Path.of(property("javaModules")).resolve(name);
        if (!Files.exists(path)) {
            throw new IllegalStateException("the build makes it before the tests: " + path);
        }
        return path;
    }
}
