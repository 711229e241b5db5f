package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * What answers depend on: checkpoint, system message, precision, version. They stand in a file beside the answers, so that answers
 * of different runs are never mixed.
 */
public final class RunFacts {
    private static final String FILE = "run.json";

    private final Map<String, String> facts;

    private RunFacts(Map<String, String> facts) {
        this.facts = new LinkedHashMap<>(facts);
    }

    /** @param facts names and values as people read them; all of them count */
    public static RunFacts of(Map<String, String> facts) {
        return new RunFacts(facts);
    }

    /** @throws IOException if the folder holds no run */
    public static RunFacts read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            throw new IOException("there is no " + file + ": no run has begun in " + folder);
        }
        Map<String, String> facts = new LinkedHashMap<>();
        Rows.json(file)
                .properties()
                .forEach(fact -> facts.put(fact.getKey(), fact.getValue().asText()));
        return new RunFacts(facts);
    }

    /** As JSON has them. */
    public Map<String, String> map() {
        return Map.copyOf(facts);
    }

    /** What stands with each answer. */
    String fingerprint() {
        return Digest.of(facts.toString()).substring(0, 16);
    }

    /**
     * Begins a run in a folder, or goes on with one.
     *
     * @throws IOException if the folder holds another run; the message says what differs
     */
    public void claim(Path folder) throws IOException {
        Files.createDirectories(folder);
        if (Files.exists(folder.resolve(FILE))) {
            requireSame(read(folder), folder);
            return;
        }
        ObjectNode json = ResultFiles.object();
        facts.forEach(json::put);
        Files.writeString(folder.resolve(FILE), PythonJson.indented(json, 2) + "\n");
    }

    /** @throws IOException if the other one differs; the message says in what */
    void requireSame(RunFacts other, Path folder) throws IOException {
        TreeSet<String> names = new TreeSet<>(facts.keySet());
        names.addAll(other.facts.keySet());
        for (String name : names) {
            String there = String.valueOf(other.facts.get(name));
            String here = String.valueOf(facts.get(name));
            if (!there.equals(here)) {
                throw new IOException("the answers in " + folder + " were made with another " + name + ": " + there
                        + " there, " + here + " now; answers are not mixed, so name another folder with --out");
            }
        }
    }
}
