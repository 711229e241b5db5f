package io.github.internvl4j.testhub;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * A hub on this machine that can go wrong in every way: the model API is at 127.0.0.1, large files are at localhost, which is
 * another host to whoever sends tokens. One request a connection.
 */
public final class TestHub implements AutoCloseable {
    private final ServerSocket server;
    private final Map<String, TestRepository> repositories = new ConcurrentHashMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CountDownLatch released = new CountDownLatch(1);

    /**
     * What was asked.
     *
     * @param headers by their names in small letters
     */
    public record Request(String target, Map<String, String> headers) {
        public boolean has(String header) {
            return headers.containsKey(header);
        }

        public String host() {
            return headers.getOrDefault("host", "").replaceFirst(":\\d+$", "");
        }
    }

    private record Fault(String part, AtomicInteger times, UnaryOperator<Served> change) {}

    public TestHub() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        daemon(this::accept);
    }

    /** Offers a model. */
    public TestHub with(TestRepository repository) {
        repositories.put(repository.name(), repository);
        return this;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** Where the large files are. */
    public URI elsewhere() {
        return URI.create("http://localhost:" + server.getLocalPort());
    }

    /** The next so many answers to targets that hold the text are changed. */
    public TestHub times(int times, String part, UnaryOperator<Served> change) {
        faults.add(new Fault(part, new AtomicInteger(times), change));
        return this;
    }

    public TestHub once(String part, UnaryOperator<Served> change) {
        return times(1, part, change);
    }

    public TestHub always(String part, UnaryOperator<Served> change) {
        return times(Integer.MAX_VALUE, part, change);
    }

    /** No fault any more. */
    public TestHub sound() {
        faults.clear();
        return this;
    }

    /** Those so far whose targets hold the text. */
    public List<Request> requests(String part) {
        return requests.stream()
                .filter(request -> request.target().contains(part))
                .toList();
    }

    public void forgetRequests() {
        requests.clear();
    }

    /** Silent answers are cut, from now on. */
    public void release() {
        released.countDown();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                daemon(() -> serve(socket));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private static void daemon(Runnable body) {
        Thread thread = new Thread(body, "test-hub");
        thread.setDaemon(true);
        thread.start();
    }

    private void serve(Socket socket) {
        try (socket) {
            Request request = read(socket);
            if (request != null) {
                requests.add(request);
                write(socket.getOutputStream(), changed(request, answer(request)));
            }
        } catch (IOException | InterruptedException e) {
            // Whoever asked went away.
        } finally {
            open.remove(socket);
        }
    }

    private static Request read(Socket socket) throws IOException {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
        String first = in.readLine();
        if (first == null) {
            return null;
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        return new Request(first.split(" ")[1], headers);
    }

    private Served answer(Request request) {
        return repositories.values().stream()
                .map(repository -> repository.answer(request, elsewhere()))
                .filter(answer -> answer != null)
                .findFirst()
                .orElseGet(() -> Served.refusal(404, "RepoNotFound"));
    }

    private Served changed(Request request, Served answer) {
        for (Fault fault : faults) {
            if (request.target().contains(fault.part()) && fault.times().getAndDecrement() > 0) {
                return fault.change().apply(answer);
            }
        }
        return answer;
    }

    private void write(OutputStream out, Served answer) throws IOException, InterruptedException {
        StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.status() + " said\r\nConnection: close\r\n");
        if (!answer.headers().containsKey("Content-Length") && !answer.headers().containsKey("Transfer-Encoding")) {
            head.append("Content-Length: ").append(answer.body().length).append("\r\n");
        }
        answer.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        out.write(answer.body(), 0, Math.min(answer.sent(), answer.body().length));
        out.flush();
        if (answer.silent()) {
            released.await();
        }
    }

    @Override
    public void close() {
        release();
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
