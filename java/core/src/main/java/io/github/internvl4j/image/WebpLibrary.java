package io.github.internvl4j.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import io.github.internvl4j.error.NativeLibraryException;
import io.github.internvl4j.host.LoadFailure;
import io.github.internvl4j.host.Mounts;
import io.github.internvl4j.host.NativeCode;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;

/**
 * Loads libwebp before its Java wrapper does. The wrapper unpacks it in a static initializer, prints what goes wrong and
 * never tries again; from here a failure is an exception, and the wrapper is then not touched. It is told to unpack its
 * copy where this one could be loaded from.
 */
final class WebpLibrary {
    private static final String FOLDER = "com.luciad.imageio.webp.tmpdir";
    private static final String RESOURCE = "/native/Linux/x86_64/libwebp-imageio.so";

    private static boolean loaded;

    private WebpLibrary() {}

    static synchronized void load() throws IOException {
        if (loaded) {
            return;
        }
        URL resource = WebPImageReaderSpi.class.getResource(RESOURCE);
        if (resource != null) {
            File copy = loadCopy(resource);
            String folder = System.getProperty(FOLDER);
            if (folder == null || !isUsable(folder)) {
                System.setProperty(FOLDER, copy.getParent());
            }
        }
        loaded = true;
    }

    /** The wrapper's copy has a name of its own, so another class loader's does not matter. */
    private static void load(File copy) {
        try {
            System.load(copy.getAbsolutePath());
        } catch (UnsatisfiedLinkError e) {
            if (!NativeCode.isElsewhere(e)) {
                throw e;
            }
        }
    }

    private static boolean isUsable(String folder) {
        return new File(folder).canWrite() && Mounts.noExecution(Path.of(folder)) == null;
    }

    private static File loadCopy(URL resource) throws IOException {
        LoadFailure failure = new LoadFailure("com.github.usefulness:webp-imageio", WebPImageReaderSpi.class);
        try {
            File copy = NativeCode.unpack(resource);
            failure.noteCopy(copy);
            load(copy);
            return copy;
        } catch (IOException | LinkageError | IllegalCallerException e) {
            NativeLibraryException explained = failure.explain(e);
            throw new IOException(explained.getMessage(), explained);
        }
    }
}
