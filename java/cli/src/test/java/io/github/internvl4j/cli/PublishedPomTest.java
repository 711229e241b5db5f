package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The POMs as a project that depends on the library reads them: on any platform, some with tools that know no profiles. */
class PublishedPomTest {
    private static final Path ROOT = Cli.DATA.getParent();
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^}]+)}");

    /** A value that only a profile sets would be looked for as it is written, {@code ${...}}. */
    @Test
    void dependenciesNeedNoProfile() throws Exception {
        Document parent = parse(ROOT.resolve("pom.xml"));
        Element properties = child(parent.getDocumentElement(), "properties");
        Set<String> seen = new HashSet<>();
        for (String module : List.of(".", "java/native", "java/core", "java/cli")) {
            Element project = parse(ROOT.resolve(module).resolve("pom.xml")).getDocumentElement();
            for (String part : List.of("dependencies", "dependencyManagement")) {
                for (Node node = project.getFirstChild(); node != null; node = node.getNextSibling()) {
                    if (node.getNodeName().equals(part)) {
                        requireSet(node.getTextContent(), properties, seen);
                    }
                }
            }
        }
        assertTrue(seen.contains("native.platform"), seen.toString());
    }

    private static void requireSet(String text, Element properties, Set<String> seen) {
        Matcher matcher = PLACEHOLDER.matcher(text);
        while (matcher.find()) {
            String name = matcher.group(1);
            // Options that users of JavaCPP give their own builds reach into the POMs of what they depend on.
            assertFalse(name.equals("javacpp.platform") || name.startsWith("javacpp.platform."), name);
            if (!name.startsWith("project.") && seen.add(name)) {
                requireSet(child(properties, name).getTextContent(), properties, seen);
            }
        }
    }

    private static Element child(Element parent, String name) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node.getNodeName().equals(name)) {
                return (Element) node;
            }
        }
        throw new AssertionError("no profile but the POM itself must set " + name);
    }

    private static Document parse(Path file) throws Exception {
        try (var in = Files.newInputStream(file)) {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        }
    }
}
