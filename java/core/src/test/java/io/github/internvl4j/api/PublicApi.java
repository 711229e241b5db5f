package io.github.internvl4j.api;

import io.github.internvl4j.InternVL;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What programs can use: the public types of the packages that module-info.java exports, and their public members. */
final class PublicApi {
    static final String ROOT = "io.github.internvl4j";
    static final List<String> PACKAGES = Stream.of(
                    "", ".error", ".hub", ".image", ".micrometer", ".tensor", ".text", ".train", ".video")
            .map(name -> ROOT + name)
            .toList();

    private PublicApi() {}

    /** Public types, nested ones too. */
    static List<Class<?>> types() {
        try {
            Path classes = Path.of(InternVL.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            try (Stream<Path> files = Files.walk(classes)) {
                return files.map(file -> classes.relativize(file).toString().replace('/', '.'))
                        .filter(name -> name.startsWith(ROOT) && name.endsWith(".class"))
                        .<Class<?>>map(name -> load(name.substring(0, name.length() - ".class".length())))
                        .filter(type -> PACKAGES.contains(type.getPackageName()) && isPublic(type))
                        .toList();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, PublicApi.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isPublic(Class<?> type) {
        Class<?> around = type.getEnclosingClass();
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && (around == null || isPublic(around));
    }

    /** Its own public methods and constructors. */
    static List<Executable> members(Class<?> type) {
        return Stream.<Executable>concat(
                        Arrays.stream(type.getDeclaredMethods()), Arrays.stream(type.getDeclaredConstructors()))
                .filter(member -> Modifier.isPublic(member.getModifiers()) && !member.isSynthetic())
                .toList();
    }
}
