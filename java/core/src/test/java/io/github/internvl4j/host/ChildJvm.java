package io.github.internvl4j.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own, for what one JVM can do only once, or should not do to the other tests. */
public final class ChildJvm {
    /** What it printed, on both streams, and its exit status. */
    public record Result(String output, int status) {
        /** Without those that JDK 24 and later print of native access. */
        public List<String> lines() {
            return output.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("WARNING: "))
                    .toList();
        }
    }

    private static final String MODULE = "internvl4j";

    private final List<String> command = new ArrayList<>();
    private String module = "";

    /** With the class path of the tests, less the entries that match one of the patterns. */
    public ChildJvm(String... without) {
        StringBuilder path = new StringBuilder();
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        for (String entry : all.split(":")) {
            if (List.of(without).stream().noneMatch(entry::matches)) {
                path.append(entry).append(':');
            }
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp", path.toString()));
    }

    /** With native libraries unpacked where others of these tests have them. */
    public ChildJvm withNativeCode() {
        String cache = "org.bytedeco.javacpp.cacheDir";
        return with(
                "-D" + cache + "=" + System.getProperty(cache, System.getProperty("java.io.tmpdir") + "/javacpp-soak"));
    }

    /** What the system says this process has resident, with little garbage in it. */
    public static long residentKilobytes() throws IOException {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /** Started by another program. */
    ChildJvm before(String... program) {
        command.addAll(0, List.of(program));
        return this;
    }

    /** With a copy of the class path that everybody may read. */
    ChildJvm copied(Path folder) throws IOException, InterruptedException {
        int at = command.indexOf("-cp") + 1;
        StringBuilder path = new StringBuilder();
        for (String entry : command.get(at).split(":")) {
            Path copy = folder.resolve(path.length() + "-" + Path.of(entry).getFileName());
            new ProcessBuilder("cp", "-r", entry, copy.toString()).start().waitFor();
            path.append(copy).append(':');
        }
        new ProcessBuilder("chmod", "-R", "a+rX", folder.toString()).start().waitFor();
        command.set(at, path.toString());
        return this;
    }

    /** The library as a module, with the tests in it and other modules beside it. */
    ChildJvm asModule(String others) {
        int at = command.indexOf("-cp") + 1;
        List<String> modules = new ArrayList<>();
        List<String> tests = new ArrayList<>();
        for (String entry : command.get(at).split(":")) {
            (entry.endsWith("test-classes") ? tests : modules).add(entry);
        }
        module = MODULE + "/";
        command.set(at - 1, "--module-path");
        command.set(at, String.join(":", modules));
        return with("--patch-module", MODULE + "=" + String.join(":", tests), "--add-modules", others);
    }

    public ChildJvm with(String... options) {
        command.addAll(List.of(options));
        return this;
    }

    public Result run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        command.addAll(module.isEmpty() ? List.of(main.getName()) : List.of("-m", module + main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(output, process.waitFor());
    }
}
