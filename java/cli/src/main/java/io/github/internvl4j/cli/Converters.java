package io.github.internvl4j.cli;

import io.github.internvl4j.Device;
import io.github.internvl4j.MergeRounding;
import io.github.internvl4j.WhenFull;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.evaluate.Scripts;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Words of the command line as values, and what is wrong with those that are none. */
final class Converters {
    private Converters() {}

    static void register(CommandLine line) {
        line.registerConverter(Device.class, Converters::device);
        line.registerConverter(Path.class, FileNames::option);
        line.registerConverter(WhenFull.class, Converters::whenFull);
        line.registerConverter(MergeRounding.class, Converters::mergeRounding);
        line.registerConverter(Scripts.class, Converters::scripts);
        number(line, int.class, Integer.class, Integer::valueOf, "an integer of 32 bits");
        number(line, long.class, Long.class, Long::valueOf, "an integer of 64 bits");
        number(line, float.class, Float.class, Float::valueOf, "a number");
        number(line, double.class, Double.class, Double::valueOf, "a number");
    }

    private static Device device(String name) {
        try {
            return new Device(name.toLowerCase(Locale.ROOT));
        } catch (InvalidOptionException e) {
            throw new TypeConversionException(Failures.oneLine(e.getMessage()));
        }
    }

    private static WhenFull whenFull(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "fail" -> WhenFull.FAIL;
            case "drop-oldest" -> WhenFull.DROP_OLDEST;
            default -> throw new TypeConversionException("expected fail or drop-oldest, found '" + word + "'");
        };
    }

    private static MergeRounding mergeRounding(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "once" -> MergeRounding.ONCE;
            case "in-type" -> MergeRounding.IN_TYPE;
            default -> throw new TypeConversionException("expected once or in-type, found '" + word + "'");
        };
    }

    private static Scripts scripts(String month) {
        try {
            return Scripts.named(month);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static <T> void number(
            CommandLine line, Class<T> primitive, Class<T> boxed, Function<String, T> parse, String expected) {
        ITypeConverter<T> converter = word -> {
            try {
                return parse.apply(word);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected " + expected + ", found '" + word + "'");
            }
        };
        line.registerConverter(primitive, converter);
        line.registerConverter(boxed, converter);
    }
}
