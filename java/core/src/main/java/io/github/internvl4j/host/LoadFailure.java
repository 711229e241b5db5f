package io.github.internvl4j.host;

import io.github.internvl4j.error.NativeLibraryException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** Why a library could not be loaded, and what would help, from what the system's linker and the JVM say. */
public final class LoadFailure {
    private static final String CACHE = "name another folder with -Dorg.bytedeco.javacpp.cacheDir=FOLDER";

    /** Those with native methods, or that load their libraries. */
    private static final List<String> MODULES =
            List.of("internvl4j", "internvl4j.binding", "org.bytedeco.javacpp", "org.bytedeco.ffmpeg", "webp.imageio");

    private static final List<String> PLATFORMS =
            List.of("linux-x86_64", "linux-arm64", "linux-ppc64le", "macosx-x86_64", "macosx-arm64", "windows-x86_64");

    private static final Pattern VERSION = Pattern.compile("version [`']((GLIBC|GLIBCXX|CXXABI)_[0-9.]+)' not found");
    private static final Pattern NEEDED = Pattern.compile("([^\\s:/]+): cannot open shared object file: No such file");

    private final String artifact;
    private final Class<?> type;
    private @Nullable Throwable earlier;
    private @Nullable File copy;
    private @Nullable String absent;

    /**
     * Of one attempt.
     *
     * @param artifact the Maven artifact that has the library
     * @param type the class that needs it
     */
    public LoadFailure(String artifact, Class<?> type) {
        this.artifact = artifact;
        this.type = type;
    }

    /** Keeps why a library that the class' own may need was not loaded. */
    void noteEarlier(UnsatisfiedLinkError failure) {
        if (earlier == null && copy != null) {
            earlier = failure;
        }
    }

    /** The file that was being loaded. */
    public void noteCopy(@Nullable File file) {
        if (earlier == null && file != null) {
            copy = file;
        }
    }

    /** No jar has the library. */
    void noteAbsent(String library) {
        absent = copy == null && earlier == null ? library : null;
    }

    NativeLibraryException unsupported() {
        return failure("there is none for this platform, " + Loader.getPlatform(), null);
    }

    /** The failure as a caller should see it. */
    public NativeLibraryException explain(Throwable thrown) {
        if (thrown instanceof NativeLibraryException explained) {
            return explained;
        }
        Throwable cause = earlier != null ? earlier : thrown;
        if (cause instanceof IllegalCallerException) {
            return failure(nativeAccess(), cause);
        }
        if (cause instanceof NoClassDefFoundError || cause instanceof ExceptionInInitializerError) {
            return failure("a class cannot be used (" + cause + ")", cause);
        }
        IOException unwritten = find(cause, IOException.class);
        if (unwritten != null) {
            return failure(unpacking(unwritten), cause);
        }
        if (absent != null) {
            return failure(jarMissing(absent), cause);
        }
        return failure(linking(linkerText(cause)), cause);
    }

    private NativeLibraryException failure(String reason, @Nullable Throwable cause) {
        String what = copy == null ? "the native library of " + artifact : "the native library " + copy;
        return new NativeLibraryException(what + " cannot be loaded: " + reason, cause);
    }

    private String jarMissing(String library) {
        String platform = Loader.getPlatform();
        TreeSet<String> others = new TreeSet<>();
        for (String other : PLATFORMS) {
            if (!other.equals(platform) && isThere(library, other)) {
                others.add(other);
            }
        }
        return "no jar for this platform is on the class path or the module path"
                + (others.isEmpty() ? "" : ", only for " + String.join(", ", others))
                + "; add the artifact " + artifact + " with the classifier " + platform;
    }

    private boolean isThere(String library, String platform) {
        String own = type.getPackageName().replace('.', '/').replaceFirst("/(global|presets)$", "");
        String folder = "/" + own + "/" + platform + "/";
        return type.getResource(folder + "lib" + library + ".so") != null
                || type.getResource(folder + "lib" + library + ".dylib") != null
                || type.getResource(folder + library + ".dll") != null;
    }

    private static String unpacking(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.startsWith("Could not create the cache")) {
            List<String> tried = new ArrayList<>();
            for (String property : List.of("org.bytedeco.javacpp.cacheDir", "user.home", "java.io.tmpdir")) {
                String folder = System.getProperty(property);
                if (folder != null) {
                    tried.add(property + ", " + folder);
                }
            }
            return "there is no folder to unpack it into: none of these can be written (" + String.join("; ", tried)
                    + "); " + CACHE;
        }
        String reason = FileProblems.reason(failure);
        String what = "it cannot be unpacked" + cacheFolder() + ": " + reason;
        if (reason.equals(Shortage.DESCRIPTORS)) {
            return what;
        }
        boolean full = reason.contains("No space left") || reason.contains("quota");
        return what + (full ? "; make room there, or " : "; ") + CACHE;
    }

    private static String cacheFolder() {
        try {
            return " into " + Loader.getCacheDir();
        } catch (IOException e) {
            return "";
        }
    }

    private String linking(String text) {
        File file = copy;
        Path mount = file == null ? null : Mounts.noExecution(file.toPath());
        if (mount != null) {
            return "its folder is on a file system that forbids execution (" + mount + " is mounted noexec); " + CACHE;
        }
        Matcher version = VERSION.matcher(text);
        if (version.find()) {
            return "it needs " + version.group(1) + ", and this system's C or C++ library is older; take a newer"
                    + " distribution, or build the library on this one (" + text + ")";
        }
        Matcher needed = NEEDED.matcher(text);
        if (needed.find() && (file == null || !needed.group(1).equals(file.getName()))) {
            return "it needs " + needed.group(1) + ", which this system does not have; install what has it (" + text
                    + ")";
        }
        if (text.contains("Error relocating") || text.contains("Error loading shared library")) {
            return "it is made for the GNU C library, and this system has another, such as Alpine's (" + text + ")";
        }
        if (text.contains("wrong ELF class") || text.contains("platform)")) {
            return "it is made for another processor than this JVM (" + System.getProperty("os.arch") + "; " + text
                    + "); take a JVM for " + Loader.getPlatform();
        }
        if (text.contains("Too many open files")) {
            return Shortage.DESCRIPTORS;
        }
        if (text.contains("annot allocate memory") || text.contains("failed to map segment")) {
            return "the system grants no memory for it, or forbids its execution (ulimit -v, a container's limit, SELinux; "
                    + text + ")";
        }
        if (text.contains("ermission denied")) {
            return "the system forbids to open or to execute it (" + text + "); " + CACHE;
        }
        return text;
    }

    /** What the linker said of the file, from the depth of the causes. */
    private static String linkerText(Throwable thrown) {
        Throwable deepest = thrown;
        for (Throwable cause = thrown.getCause(); cause instanceof UnsatisfiedLinkError; cause = cause.getCause()) {
            deepest = cause;
        }
        return deepest instanceof UnsatisfiedLinkError ? String.valueOf(deepest.getMessage()) : deepest.toString();
    }

    private static <T extends Throwable> @Nullable T find(Throwable thrown, Class<T> wanted) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (wanted.isInstance(cause)) {
                return wanted.cast(cause);
            }
        }
        return null;
    }

    /**
     * What to do about a JVM that refuses native access, which JDK 24 and later do when told to: all modules at once, so that
     * one is not asked for after the other.
     */
    public static String nativeAccess() {
        List<String> names = new ArrayList<>();
        for (String module : MODULES) {
            if (ModuleLayer.boot().findModule(module).isPresent()) {
                names.add(module);
            }
        }
        if (!LoadFailure.class.getModule().isNamed()) {
            names.add("ALL-UNNAMED");
        }
        return "this JVM does not allow native access; start it with --enable-native-access=" + String.join(",", names);
    }
}
