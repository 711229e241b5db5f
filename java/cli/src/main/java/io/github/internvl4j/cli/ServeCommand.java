package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.server.Server;
import io.github.internvl4j.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** An HTTP server over a model, until it is told to end. */
@Command(
        name = "serve",
        description = "Serves a model over HTTP: OpenAI's endpoints, and a page to talk to it.",
        footer = {
            "",
            "One line on standard output says the address once the model answers. SIGTERM and Ctrl-C end it when what is being",
            "answered is done, or after 30 seconds; a second one ends it at once.",
            "",
            "Examples:",
            "  internvl4j serve --model DIR",
            "  internvl4j serve --model DIR --adapter invoices=INVOICES-LORA --adapters TUNED",
            "  internvl4j serve --model DIR --host 0.0.0.0 --port 8000 --api-key-file keys.txt"
        })
final class ServeCommand implements Callable<Integer> {
    static final String KEY_VARIABLE = "INTERNVL4J_API_KEY";
    private static final Duration DRAIN = Duration.ofSeconds(30);
    private static final long LOOK_SECONDS = 2;

    @ParentCommand
    private Main main;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            paramLabel = "H",
            description = "Address to listen at (default: ${DEFAULT-VALUE}, this machine alone).")
    private String host;

    @Option(
            names = "--port",
            defaultValue = "8000",
            paramLabel = "N",
            description = "Port to listen at; 0: any that is free (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--api-key-file",
            paramLabel = "F",
            description = "Keys, one a line, one of which every request must bring (default: that of the variable "
                    + KEY_VARIABLE + ", or none).")
    private @Nullable Path apiKeyFile;

    @Option(
            names = "--max-batch",
            defaultValue = "0",
            paramLabel = "N",
            description = "Requests answered at a time; 0: as many as memory has room for, up to 8 (default).")
    private int maxBatch;

    @Option(
            names = "--queue",
            defaultValue = "64",
            paramLabel = "N",
            description = "Requests that may wait; more are told to come back (default: ${DEFAULT-VALUE}).")
    private int queue;

    @Option(
            names = "--model-name",
            paramLabel = "NAME",
            description = "What requests call the model (default: its folder's name).")
    private @Nullable String modelName;

    @Option(names = "--any-model", description = "Answer requests for a model of any name.")
    private boolean anyModel;

    @Option(
            names = "--adapter",
            paramLabel = "NAME=DIR",
            description =
                    "A LoRA adapter as PEFT saves it, and what requests call the model for an answer with it; may be"
                            + " given again.")
    private List<String> adapters = List.of();

    @Option(
            names = "--adapters",
            paramLabel = "DIR",
            description =
                    "A folder of such folders, called by their names. What comes into it, or changes, is served within"
                            + " seconds; move a whole folder in.")
    private @Nullable Path adapterFolder;

    @Option(
            names = "--metrics-prefix",
            defaultValue = "internvl4j",
            paramLabel = "NAME",
            description =
                    "What the names at /metrics begin with, before the colon; vllm fits boards that were made for it "
                            + "(default: ${DEFAULT-VALUE}).")
    private String metricsPrefix;

    @Option(
            names = "--allow-remote-images",
            arity = "0..1",
            split = ",",
            fallbackValue = "*",
            paramLabel = "HOSTS",
            description =
                    "Fetch images that requests name by http:// or https://, from these hosts (a.org,*.b.org), or from "
                            + "any; only ever from public addresses (default: none is fetched).")
    private List<String> remoteImages = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        LoadOptions loading = model.loadOptions().maxBatch(maxBatch);
        int together = maxBatch == 0
                ? Math.max(1, InternVL.plan(model.folder(), loading).maxBatch())
                : maxBatch;
        ServerOptions options = ServerOptions.defaults()
                .host(host)
                .port(port)
                .apiKeys(keys())
                .maxBatch(together)
                .queue(queue)
                .anyModel(anyModel)
                .metricsPrefix(metricsPrefix)
                .remoteImages(remoteImages);
        CountDownLatch told = new CountDownLatch(1);
        try (Server server = Server.start(options); // first, so that a port that is taken does not cost a load
                Interrupts interrupts = new Interrupts(told::countDown);
                InternVL loaded = model.load(main.streams, loading.maxBatch(together))) {
            if (interrupts.status() != 0) {
                return interrupts.status();
            }
            try (ServedAdapters tuned = new ServedAdapters(loaded, adapters, adapterFolder, this::tell)) {
                server.serve(servedName(), loaded, tuned.all(servedName()));
                main.streams.out().println(server.address());
                warn(options);
                while (!told.await(LOOK_SECONDS, TimeUnit.SECONDS)) {
                    serveAgain(server, loaded, tuned);
                }
                return server.drain(DRAIN) ? 0 : 1;
            }
        }
    }

    /** With the adapters that are in the folder now, if they are others. */
    private void serveAgain(Server server, InternVL loaded, ServedAdapters tuned) {
        Runnable gone = tuned.look();
        if (gone != null) {
            server.serve(servedName(), loaded, tuned.all(servedName()));
            gone.run();
        }
    }

    private String servedName() {
        return modelName == null ? name() : modelName;
    }

    private void tell(String what) {
        main.streams.err().println("internvl4j: " + what);
    }

    /** A pulled model's folder is named by its commit; who typed a name means that. */
    private String name() {
        String typed = model.typed();
        Path file = Path.of(typed).toAbsolutePath().normalize().getFileName();
        return Files.exists(Path.of(typed)) && file != null ? file.toString() : typed;
    }

    private void warn(ServerOptions options) {
        boolean local = host.equals("localhost") || host.startsWith("127.") || host.equals("::1");
        if (!local && options.apiKeys().isEmpty()) {
            main.streams
                    .err()
                    .println("internvl4j: whoever reaches " + host
                            + " may ask, for there is no API key (--api-key-file)");
        }
    }

    private List<String> keys() throws IOException {
        if (apiKeyFile == null) {
            String key = main.variable(KEY_VARIABLE);
            return key == null || key.isEmpty() ? List.of() : List.of(key);
        }
        List<String> keys = Files.readAllLines(apiKeyFile).stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        if (keys.isEmpty()) {
            throw new InvalidOptionException("--api-key-file " + apiKeyFile + " has no key, expected one a line");
        }
        return keys;
    }
}
