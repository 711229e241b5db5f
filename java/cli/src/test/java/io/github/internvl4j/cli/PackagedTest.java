package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the build puts beside the command line's jar. */
@Tag("packaged")
class PackagedTest {
    private static final Path FOLDER = Path.of("target");

    private static Set<String> jars(String folder) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER.resolve(folder))) {
            return files.map(file -> folder + "/" + file.getFileName())
                    .filter(file -> file.endsWith(".jar"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    /** Of what the manifest names twice, in two folders, one is there. */
    @Test
    void theJarNamesEveryLibraryThatLiesBesideIt() throws IOException {
        Set<String> there = jars("lib");
        there.addAll(jars("lib-parquet"));
        try (JarFile jar = new JarFile(FOLDER.resolve("internvl4j-cli.jar").toFile())) {
            String[] named =
                    jar.getManifest().getMainAttributes().getValue("Class-Path").split(" ");
            assertEquals(
                    there,
                    Arrays.stream(named)
                            .filter(file -> Files.exists(FOLDER.resolve(file)))
                            .collect(Collectors.toCollection(TreeSet::new)));
        }
    }

    /** Two of them that had a package in common would be refused here. */
    @Test
    void theLibrariesAreAModulePath() {
        Configuration modules = ModuleLayer.boot()
                .configuration()
                .resolve(ModuleFinder.of(FOLDER.resolve("lib")), ModuleFinder.of(), Set.of("internvl4j"));
        assertTrue(modules.findModule("internvl4j").isPresent());
    }
}
