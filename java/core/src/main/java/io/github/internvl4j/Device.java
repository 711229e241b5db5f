package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where a model runs.
 * A record: a device is its name.
 *
 * @param name {@code auto}, {@code cpu}, {@code cuda}, {@code cuda:N}, several GPUs as {@code cuda:0,1}, or with the
 *     decoder layers of each as {@code cuda:0=20,1=40}
 */
public record Device(String name) {
    private static final Pattern NAMES =
            Pattern.compile("auto|cpu|cuda(:\\d{1,2}(,\\d{1,2}){0,15}|:\\d{1,2}=\\d{1,3}(,\\d{1,2}=\\d{1,3}){0,7})?");

    /** The first GPU that has room for the model and can do its precision and sizes, else the CPU. */
    public static final Device AUTO = new Device("auto");
    /** The CPU. */
    public static final Device CPU = new Device("cpu");
    /** The first GPU; an error if it cannot be used. */
    public static final Device CUDA = new Device("cuda");

    /**
     * A device by its name.
     *
     * @throws InvalidOptionException if it is none of the names
     */
    public Device {
        Objects.requireNonNull(name, "name");
        if (!NAMES.matcher(name).matches()) {
            throw new InvalidOptionException("device is '" + name + "', expected auto, cpu, cuda, cuda:N, cuda:N,M or,"
                    + " with layers, cuda:N=20,M=40");
        }
    }

    /** GPUs by their numbers from 0: one, or several that share the decoder's layers in this order. */
    public static Device cuda(int... numbers) {
        Objects.requireNonNull(numbers, "numbers");
        return new Device(
                Arrays.stream(numbers).mapToObj(Integer::toString).collect(Collectors.joining(",", "cuda:", "")));
    }

    @Override
    public String toString() {
        return name;
    }
}
