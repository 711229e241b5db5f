package io.github.internvl4j.host;

import io.github.internvl4j.error.NativeLibraryException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.Set;
import java.util.zip.CRC32;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Loads what JavaCPP has packed. JavaCPP's own way begins in static initializers, where a failure is for good, and takes an
 * unpacked copy for sound if its date and size are right. Here the libraries are loaded before any of its classes is
 * initialized, each copy compared with its jar; JavaCPP then finds them loaded.
 */
public final class NativeCode {
    private static final String MAX_PHYSICAL_BYTES = "org.bytedeco.javacpp.maxPhysicalBytes";
    private static final String CACHE = "org.bytedeco.javacpp.cacheDir";

    /** What the classes of JavaCPP take when they are first used, and some to spare. */
    private static final int THREADS = 2;

    private static final int DESCRIPTORS = 16;

    private static final Set<Class<?>> LOADED = new HashSet<>();

    private NativeCode() {}

    /**
     * Loads and initializes classes made by JavaCPP, with their libraries.
     *
     * @param artifact the Maven artifact that has them, with a classifier for each platform
     * @param first calls a native method of theirs, which a JVM may refuse
     * @param classes in the order of their dependence
     * @throws NativeLibraryException if it cannot be done, with the cause and what would help; the next call tries again
     */
    public static synchronized void load(String artifact, Runnable first, Class<?>... classes) {
        String missing = Shortage.of(THREADS, DESCRIPTORS);
        if (missing != null) {
            throw new NativeLibraryException("the native library of " + artifact + " cannot be loaded: " + missing);
        }
        // JavaCPP counts the process' resident memory, mapped weights included, against four times the Java heap, and
        // stalls every allocation past that. Its own memory is small; ours it does not manage.
        if (System.getProperty(MAX_PHYSICAL_BYTES) == null) {
            System.setProperty(MAX_PHYSICAL_BYTES, "0");
        }
        initialize("org.bytedeco:javacpp", Pointer.class);
        for (Class<?> type : classes) {
            initialize(artifact, type);
        }
        try {
            first.run();
        } catch (IllegalCallerException e) {
            throw new LoadFailure(artifact, classes[0]).explain(e);
        }
    }

    /** A user without a home has "?" for one, or a folder that is not there: JavaCPP would make it. */
    private static void prepareCache() {
        boolean named = System.getProperty(CACHE) != null || System.getProperty(CACHE.toLowerCase(Locale.ROOT)) != null;
        if (!named && !new File(System.getProperty("user.home", "")).isDirectory()) {
            System.setProperty(
                    CACHE,
                    System.getProperty("java.io.tmpdir") + "/.javacpp-" + System.getProperty("user.name") + "/cache");
        }
    }

    private static void initialize(String artifact, Class<?> type) {
        if (LOADED.contains(type)) {
            return;
        }
        LoadFailure failure = new LoadFailure(artifact, type);
        try {
            ClassProperties properties = properties(type, failure);
            for (String needed : properties.get("global")) {
                if (!needed.equals(type.getName())) {
                    initialize(artifact, Class.forName(needed, false, type.getClassLoader()));
                }
            }
            try {
                loadLibraries(type, properties, failure);
            } catch (UnsatisfiedLinkError e) {
                if (!isElsewhere(e)) {
                    throw e;
                }
            }
            Loader.load(type);
        } catch (ClassNotFoundException e) {
            throw failure.explain(new NoClassDefFoundError(e.getMessage()));
        } catch (LinkageError | RuntimeException e) {
            throw failure.explain(e);
        }
        LOADED.add(type);
    }

    /** Whether a library is not loaded only since another class loader has it: then a copy under another name can be. */
    public static boolean isElsewhere(UnsatisfiedLinkError failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (String.valueOf(cause.getMessage()).contains("already loaded in another classloader")) {
                return true;
            }
        }
        return false;
    }

    private static ClassProperties properties(Class<?> type, LoadFailure failure) {
        Properties platform = Loader.loadProperties();
        if (!Loader.checkPlatform(type, platform, true)) {
            throw failure.unsupported();
        }
        return Loader.loadProperties(type, platform, true);
    }

    /** The libraries that a class needs and then its own, none of which initializes the class. */
    private static void loadLibraries(Class<?> type, ClassProperties properties, LoadFailure failure) {
        List<String> needed = new ArrayList<>(properties.get("platform.preload"));
        needed.addAll(properties.get("platform.link"));
        List<String> loaded = new ArrayList<>();
        for (String library : needed) {
            try {
                String file = loadLibrary(type, properties, library, loaded, failure);
                if (file != null && new File(file).exists()) {
                    loaded.add(file);
                }
            } catch (UnsatisfiedLinkError e) {
                // Not every library is on every platform; what is really missing is missed by the class' own.
                failure.noteEarlier(e);
            }
        }
        loadLibrary(type, properties, properties.getProperty("platform.library"), loaded, failure);
    }

    private static @Nullable String loadLibrary(
            Class<?> type, ClassProperties properties, String library, List<String> loaded, LoadFailure failure) {
        URL[] places = Loader.findLibrary(type, properties, library);
        String[] before = loaded.toArray(new String[0]);
        UnsatisfiedLinkError last = null;
        for (URL place : places) {
            // A second time if another process has just put another copy there.
            for (int attempt = 0; attempt < 2; attempt++) {
                File copy = null;
                try {
                    copy = unpack(place);
                    return Loader.loadLibrary(type, new URL[] {place}, library, before);
                } catch (IOException e) {
                    failure.noteCopy(copy);
                    throw failure.explain(e);
                } catch (UnsatisfiedLinkError e) {
                    failure.noteCopy(copy);
                    last = e;
                }
            }
        }
        if (last != null) {
            throw last;
        }
        failure.noteAbsent(library);
        return Loader.loadLibrary(type, places, library, before);
    }

    /**
     * The file that a resource is unpacked into, made or made anew if it is not what the jar has.
     *
     * @return the file itself if the resource is one
     * @throws IOException if it cannot be written
     */
    public static File unpack(URL resource) throws IOException {
        if (resource.getProtocol().equals("file")) {
            return new File(URI.create(resource.toString()));
        }
        prepareCache();
        File copy = Loader.cacheResource(resource);
        if (!isSame(copy, resource)) {
            copy.setLastModified(0); // JavaCPP then replaces it, and nobody else does meanwhile
            copy = Loader.cacheResource(resource);
            if (!isSame(copy, resource)) {
                throw new IOException(copy + " is not what " + resource + " has, although it was unpacked just now");
            }
        }
        return copy;
    }

    private static boolean isSame(File copy, URL resource) throws IOException {
        if (!(resource.openConnection() instanceof JarURLConnection jar)) {
            return true;
        }
        CRC32 sum = new CRC32();
        byte[] chunk = new byte[1 << 16];
        try (InputStream in = new FileInputStream(copy)) {
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                sum.update(chunk, 0, count);
            }
        }
        return sum.getValue() == jar.getJarEntry().getCrc();
    }
}
