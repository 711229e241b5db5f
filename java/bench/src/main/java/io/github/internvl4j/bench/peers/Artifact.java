package io.github.internvl4j.bench.peers;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** A peer's library on the class path. */
final class Artifact {
    private Artifact() {}

    /** Its coordinates, as Maven left them in its jar. */
    static String of(String group, String name) throws IOException {
        String file = "/META-INF/maven/%s/%s/pom.properties".formatted(group, name);
        try (InputStream in = Artifact.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IOException(group + ":" + name + " is not on the class path");
            }
            Properties properties = new Properties();
            properties.load(in);
            return "%s:%s %s".formatted(group, name, properties.getProperty("version"));
        }
    }
}
