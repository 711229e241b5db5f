package io.github.internvl4j.host;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** The files of a checkpoint folder that are not weights. */
public final class CheckpointFiles {
    private static final List<String> WEIGHTS =
            List.of(".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth");

    /** Of pairs beside the layers, in config.json. */
    private static final List<String> LORA_RANKS = List.of("use_llm_lora", "use_backbone_lora");

    private CheckpointFiles() {}

    /** In a merged checkpoint's configuration: no pairs lie beside its layers any more. */
    public static void tellOfNoAdapter(Path folder) {
        Path file = folder.resolve("config.json");
        try {
            ObjectMapper mapper = new ObjectMapper();
            if (!(mapper.readTree(file.toFile()) instanceof ObjectNode config)
                    || LORA_RANKS.stream().allMatch(field -> config.path(field).asInt(0) == 0)) {
                return;
            }
            LORA_RANKS.forEach(field -> config.put(field, 0));
            mapper.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), config);
        } catch (IOException e) {
            throw new CheckpointException("cannot rewrite " + file + ": " + FileProblems.reason(e), e);
        }
    }

    /** Existing files of the same names are replaced. */
    public static void copyAllButWeights(Path from, Path to) {
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
