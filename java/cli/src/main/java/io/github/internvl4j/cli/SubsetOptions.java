package io.github.internvl4j.cli;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.evaluate.Selection;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Which samples of each benchmark are asked. */
final class SubsetOptions {
    private static final Pattern SHARD = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

    @Option(
            names = "--limit",
            defaultValue = "0",
            paramLabel = "N",
            description = "The first N samples of each; 0: all (default).")
    private int limit;

    @Option(names = "--ids", split = ",", paramLabel = "ID", description = "Only these samples.")
    private List<String> ids = List.of();

    @Option(
            names = "--shard",
            defaultValue = "0/1",
            paramLabel = "I/N",
            description = "Only part I, from 0, of N: for several machines. --merge puts their folders together.")
    private String shard;

    Selection selection() {
        Matcher parts = SHARD.matcher(shard);
        if (!parts.matches()) {
            throw new InvalidOptionException("--shard is " + shard + ", expected a part of several, such as 0/4");
        }
        try {
            return Selection.all()
                    .ids(Set.copyOf(ids))
                    .limit(limit)
                    .shard(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
        } catch (IllegalArgumentException wrong) {
            throw new InvalidOptionException("--" + wrong.getMessage());
        }
    }
}
