package io.github.internvl4j.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * The POMs that are installed and published, as tools read them that know neither this build's parent nor its profiles, on
 * any platform.
 */
class PublishedPomTest {
    @ParameterizedTest
    @ValueSource(strings = {"internvl4j-native", "internvl4j", "internvl4j-platform", "internvl4j-bom"})
    void everythingIsSaid(String artifact) throws Exception {
        Path file = Objects.requireNonNull(Built.pom(artifact));
        assertFalse(
                Files.readString(file).replace("${project.version}", "").contains("${"), "a property that nobody sets");
        Document pom = parse(file);
        assertEquals(0, pom.getElementsByTagName("parent").getLength());
        for (String field : List.of("name", "description", "url", "license", "developer", "scm")) {
            assertNotEquals("", text(pom.getElementsByTagName(field)), field);
        }
        NodeList dependencies = pom.getElementsByTagName("dependency");
        int versions = pom.getElementsByTagName("version").getLength();
        assertEquals(dependencies.getLength() + 1, versions, "a version for each dependency and the project");
    }

    /** What depends on the platform and imports the BOM gets one FFmpeg, and the Micrometer that the library was tested with. */
    @Test
    void theBomHasTheOtherArtifactsVersions() throws Exception {
        Map<String, String> managed = versions("internvl4j-bom");
        Map<String, String> used = versions("internvl4j-platform");
        assertEquals(used.get("ffmpeg"), managed.get("ffmpeg"));
        assertEquals(used.get("ffmpeg:linux-x86_64"), managed.get("ffmpeg:linux-x86_64"));
        assertEquals(versions("internvl4j").get("micrometer-core"), managed.get("micrometer-core"));
        assertTrue(managed.keySet()
                .containsAll(List.of("internvl4j", "internvl4j-platform", "internvl4j-native:linux-x86_64-gpu")));
    }

    private static Map<String, String> versions(String artifact) throws Exception {
        NodeList dependencies =
                parse(Objects.requireNonNull(Built.pom(artifact))).getElementsByTagName("dependency");
        Map<String, String> versions = new HashMap<>();
        for (int i = 0; i < dependencies.getLength(); i++) {
            Element dependency = (Element) dependencies.item(i);
            String classifier = text(dependency.getElementsByTagName("classifier"));
            String name = text(dependency.getElementsByTagName("artifactId"));
            versions.put(
                    classifier.isEmpty() ? name : name + ":" + classifier,
                    text(dependency.getElementsByTagName("version")));
        }
        return versions;
    }

    private static String text(NodeList nodes) {
        return nodes.getLength() == 0 ? "" : nodes.item(0).getTextContent().strip();
    }

    private static Document parse(Path file) throws Exception {
        try (var in = Files.newInputStream(file)) {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        }
    }
}
