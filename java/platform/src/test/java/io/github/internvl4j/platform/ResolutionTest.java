package io.github.internvl4j.platform;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.RepositorySystemSession.CloseableSession;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.repository.WorkspaceReader;
import org.eclipse.aether.repository.WorkspaceRepository;
import org.eclipse.aether.resolution.DependencyRequest;
import org.eclipse.aether.supplier.RepositorySystemSupplier;
import org.eclipse.aether.supplier.SessionBuilderSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The published POMs give a user the whole library on any operating system, also one that there is no native library for: nothing
 * hangs on this build's properties and profiles. Without the network, with what this build was made of.
 */
class ResolutionTest {
    private static final String GROUP = "io.github.internvl4j";

    @ParameterizedTest
    @ValueSource(strings = {"Linux", "Windows 11", "Mac OS X"})
    void theLibraryIsFound(String system) throws Exception {
        Set<String> found = resolve("internvl4j", system);
        assertTrue(
                found.containsAll(List.of(
                        "internvl4j",
                        "internvl4j-native",
                        "internvl4j-native:linux-x86_64",
                        "javacpp",
                        "javacpp:linux-x86_64")),
                found::toString);
        assertTrue(found.stream().noneMatch(name -> name.startsWith("ffmpeg")), found::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Linux", "Windows 11", "Mac OS X"})
    void thePlatformHasVideosToo(String system) throws Exception {
        Set<String> found = resolve("internvl4j-platform", system);
        assertTrue(found.containsAll(resolve("internvl4j", system)), found::toString);
        assertTrue(found.containsAll(List.of("ffmpeg", "ffmpeg:linux-x86_64")), found::toString);
    }

    /** What a program that depends on it runs with: artifact, or artifact:classifier. */
    private static Set<String> resolve(String artifact, String system) throws Exception {
        Map<String, String> properties = new HashMap<>();
        System.getProperties().forEach((name, value) -> properties.put(String.valueOf(name), String.valueOf(value)));
        properties.put("os.name", system);
        RepositorySystem maven = new RepositorySystemSupplier().get();
        try (CloseableSession session = new SessionBuilderSupplier(maven)
                .get()
                .withLocalRepositoryBaseDirectories(Path.of(Built.property("localRepository")))
                .setWorkspaceReader(new ThisBuild())
                .setSystemProperties(properties)
                .setOffline(true)
                .build()) {
            CollectRequest collect = new CollectRequest()
                    .addDependency(
                            new Dependency(new DefaultArtifact(GROUP, artifact, "jar", Built.VERSION), "runtime"))
                    .addRepository(
                            new RemoteRepository.Builder("central", "default", "https://repo.maven.apache.org/maven2")
                                    .build());
            return maven
                    .resolveDependencies(session, new DependencyRequest(collect, null))
                    .getArtifactResults()
                    .stream()
                    .map(result -> result.getArtifact())
                    .map(it -> it.getClassifier().isEmpty()
                            ? it.getArtifactId()
                            : it.getArtifactId() + ":" + it.getClassifier())
                    .collect(Collectors.toSet());
        } finally {
            maven.shutdown();
        }
    }

    /** Stands for the repository that the library will be published to. */
    private static final class ThisBuild implements WorkspaceReader {
        @Override
        public WorkspaceRepository getRepository() {
            return new WorkspaceRepository("build");
        }

        @Override
        public @Nullable File findArtifact(Artifact artifact) {
            if (!artifact.getGroupId().equals(GROUP)) {
                return null;
            }
            Path found = artifact.getExtension().equals("pom")
                    ? Built.pom(artifact.getArtifactId())
                    : Built.contents(artifact.getArtifactId(), artifact.getClassifier());
            return found == null ? null : found.toFile();
        }

        @Override
        public List<String> findVersions(Artifact artifact) {
            return List.of(Built.VERSION);
        }
    }
}
