package io.github.internvl4j.cli;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.hub.PullListener;
import io.github.internvl4j.hub.PullProgress;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** A checkpoint from a hub. */
@Command(
        name = "pull",
        description = {
            "Downloads a model's checkpoint (weights, JSON, tokenizer; no code) into the cache and prints its folder.",
            "No other command uses the network."
        },
        footer = {
            "",
            "What an earlier pull left is gone on with. --model takes the name from then on.",
            "",
            "Environment, as of Hugging Face's own tools:",
            "  HF_ENDPOINT     the hub (https://huggingface.co)",
            "  HF_TOKEN        opens models with terms; or the file HF_TOKEN_PATH",
            "  HF_HUB_CACHE    the cache, else HF_HOME/hub (~/.cache/huggingface/hub)",
            "  HF_HUB_OFFLINE  1: never connect",
            "A proxy is Java's: INTERNVL4J_JAVA_OPTS='-Dhttps.proxyHost=HOST'.",
            "",
            "Examples:",
            "  internvl4j pull OpenGVLab/InternVL3-1B",
            "  internvl4j chat --model OpenGVLab/InternVL3-1B"
        })
final class PullCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "ORG/NAME", description = "The model, as the hub names it.")
    private String name;

    @Option(names = "--revision", paramLabel = "R", description = "A branch, a tag or a commit (default: main).")
    private @Nullable String revision;

    @Override
    public Integer call() {
        if (revision != null && name.contains("@")) {
            throw new ParameterException(spec.commandLine(), "--revision and ORG/NAME@REVISION exclude each other");
        }
        String whole = revision == null ? name : name + "@" + revision;
        Cancellation cancellation = new Cancellation();
        try (Interrupts interrupts = new Interrupts(cancellation::cancel)) {
            try (LoadBar bar = new LoadBar("pulling", main.streams)) {
                main.streams.out().println(main.hub().pull(whole, new Watcher(bar), cancellation));
                return interrupts.status();
            } catch (CancellationException e) {
                main.detail("what has come so far stays, and the same pull goes on with it");
                return interrupts.status();
            }
        }
    }

    private final class Watcher implements PullListener {
        private final LoadBar bar;

        Watcher(LoadBar bar) {
            this.bar = bar;
        }

        @Override
        public void onProgress(PullProgress progress) {
            bar.show(progress.bytesDone(), progress.bytesTotal());
        }

        @Override
        public void onNote(String note) {
            if (!bar.say(note)) {
                main.streams.err().println("internvl4j: " + note);
            }
        }
    }
}
