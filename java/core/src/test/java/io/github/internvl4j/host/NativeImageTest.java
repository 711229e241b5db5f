package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.runtime.CheckpointReport;
import io.github.internvl4j.runtime.SystemReport;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What GraalVM's native-image is told to keep: it takes a name that does not exist without a word. */
class NativeImageTest {
    private static final ClassLoader LOADER = NativeImageTest.class.getClassLoader();
    private static final String FOLDER = "META-INF/native-image/";
    private static final String OURS = FOLDER + "io.github.internvl4j/internvl4j/";
    private static final String BINDING = FOLDER + "linux-x86_64/jniinternvl4j/";

    @Test
    void everyClassExists() throws IOException {
        assertAll(
                List.of(OURS + "reflect-config.json", BINDING + "jni-config.json", BINDING + "reflect-config.json")
                        .stream()
                        .flatMap(file -> names(file).stream())
                        .map(name -> () -> assertNotNull(Class.forName(name, false, LOADER))));
    }

    @Test
    void whatIsMadeFromJsonIsKept() {
        List<String> kept = names(OURS + "reflect-config.json");
        List.of(CheckpointReport.class, SystemReport.class).forEach(type -> assertKept(type, kept));
    }

    @Test
    void theBindingIsKept() {
        assertTrue(names(BINDING + "jni-config.json").contains("io.github.internvl4j.internal.global.internvl4j"));
    }

    @Test
    void theResourcesExist() throws IOException {
        JsonNode patterns =
                json(OURS + "resource-config.json").path("resources").path("includes");
        for (JsonNode include : patterns) {
            String name = include.path("pattern").asText().replace("\\Q", "").replace("\\E", "");
            assertNotNull(LOADER.getResource(name), name);
        }
        assertTrue(patterns.size() > 0);
    }

    private static void assertKept(Type type, List<String> kept) {
        if (type instanceof ParameterizedType list) {
            List.of(list.getActualTypeArguments()).forEach(argument -> assertKept(argument, kept));
        } else if (type instanceof Class<?> made && made.isRecord()) {
            assertTrue(kept.contains(made.getName()), made.getName());
            for (RecordComponent component : made.getRecordComponents()) {
                assertKept(component.getGenericType(), kept);
            }
        }
    }

    private static List<String> names(String file) {
        List<String> names = new ArrayList<>();
        json(file).forEach(entry -> names.add(entry.path("name").asText()));
        assertTrue(!names.isEmpty(), file);
        return names;
    }

    private static JsonNode json(String file) {
        URL found = LOADER.getResource(file);
        assertNotNull(found, file);
        try (InputStream in = found.openStream()) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new IllegalStateException(file, e);
        }
    }
}
