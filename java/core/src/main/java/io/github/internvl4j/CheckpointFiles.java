package io.github.internvl4j;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** The files of a checkpoint folder that are not weights. */
final class CheckpointFiles {
    private static final List<String> WEIGHTS =
            List.of(".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth");

    private CheckpointFiles() {}

    /** Existing files of the same names are replaced. */
    static void copyAllButWeights(Path from, Path to) {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = file.getFileName().toString();
                if (WEIGHTS.stream().noneMatch(name::endsWith)) {
                    Files.copy(file, to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    "cannot copy the files of " + from + " to " + to + ": " + FileProblems.reason(e), e);
        }
    }
}
