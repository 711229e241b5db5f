package io.github.internvl4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Stack;
import picocli.CommandLine;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Takes the word behind an option as it is, for texts: a question may begin like an option. */
final class Verbatim implements IParameterConsumer {
    @Override
    @SuppressWarnings("JdkObsolete") // picocli's
    public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
        if (words.isEmpty()) {
            throw new ParameterException(
                    new CommandLine(command), "Missing required parameter for option '" + name(option) + "'");
        }
        String word = words.pop();
        if (!option.isMultiValue()) {
            option.setValue(word);
            return;
        }
        List<String> all = new ArrayList<>();
        if (option.getValue() instanceof List<?> before) {
            before.forEach(text -> all.add((String) text));
        }
        all.add(word);
        option.setValue(all);
    }

    private static String name(ArgSpec option) {
        return ((CommandLine.Model.OptionSpec) option).longestName();
    }
}
