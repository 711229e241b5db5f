package io.github.internvl4j.recipes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.internvl4j.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What stands between two marks in a test's source is what stands in a README, under the mark's title. */
final class Recipes {
    private static final Path ROOT = TestData.repository();
    private static final Path SOURCES = ROOT.resolve("java/core/src/test/java/io/github/internvl4j/recipes");

    private Recipes() {}

    static String source(String name) throws IOException {
        return Files.readString(SOURCES.resolve(name));
    }

    /** By title. */
    static Map<String, String> in(String source) {
        Map<String, String> recipes = new TreeMap<>();
        Matcher here = Pattern.compile("// recipe: (.*)\n((?s:.*?)) *// end\n").matcher(source);
        while (here.find()) {
            recipes.put(here.group(1), here.group(2).stripTrailing().stripIndent());
        }
        return recipes;
    }

    /** The README's Java, all of it: each block has the line before it as its title. */
    static void assertAreThoseOf(String readme, Map<String, String> recipes) throws IOException {
        Map<String, String> there = new TreeMap<>();
        Matcher blocks = Pattern.compile("(?m)^(?:### |## )?(.*?):?\n\n```java\n((?s:.*?))```")
                .matcher(Files.readString(ROOT.resolve(readme)));
        while (blocks.find()) {
            there.put(blocks.group(1), blocks.group(2).strip());
        }
        assertEquals(recipes, there);
    }
}
