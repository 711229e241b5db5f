package io.github.internvl4j.server;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** The page to talk to the model: a few files that are in memory, and nothing of anywhere else. */
final class Page {
    private static final String POLICY =
            "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private record File(String type, Buffer content) {}

    private final Map<String, File> files = new LinkedHashMap<>();

    Page() {
        add("/", "page/index.html", "text/html; charset=utf-8");
        add("/page.css", "page/page.css", "text/css; charset=utf-8");
        for (String script : new String[] {"page", "chat", "images", "markdown", "store"}) {
            add("/" + script + ".js", "page/" + script + ".js", "text/javascript; charset=utf-8");
        }
        add("/icon.svg", "page/icon.svg", "image/svg+xml");
        addLibrary("/marked.js", "marked", "lib/marked.esm.js");
        addLibrary("/purify.js", "dompurify", "dist/purify.es.mjs");
    }

    private void add(String path, String resource, String type) {
        files.put(path, new File(type, Buffer.buffer(read(resource))));
    }

    /** A webjar's folder has its version, which the webjar itself tells. */
    private void addLibrary(String path, String name, String file) {
        Properties pom = new Properties();
        try (InputStream in = open("/META-INF/maven/org.webjars.npm/" + name + "/pom.properties")) {
            pom.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        add(
                path,
                "/META-INF/resources/webjars/" + name + "/" + pom.getProperty("version") + "/" + file,
                "text/javascript; charset=utf-8");
    }

    private static byte[] read(String resource) {
        try (InputStream in = open(resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream open(String resource) {
        InputStream in = Page.class.getResourceAsStream(resource);
        if (in == null) {
            throw new IllegalStateException("the server's jar is damaged: " + resource + " is missing");
        }
        return in;
    }

    /** The file at a path; null if it is none of the page's. */
    @Nullable
    String type(String path) {
        File file = files.get(path);
        return file == null ? null : file.type();
    }

    /** Sends the file at a path that is the page's. */
    void send(String path, Exchange exchange) {
        File file = files.get(path);
        if (file == null) {
            exchange.fail(ApiError.unknownPath(path));
            return;
        }
        HttpServerResponse response = exchange.request().response();
        response.putHeader("Content-Security-Policy", POLICY).putHeader("Cache-Control", "no-cache");
        exchange.body(file.type(), file.content());
    }
}
