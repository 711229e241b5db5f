package io.github.internvl4j.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.InternVL;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What programs see is theirs alone: nothing of the runtime's bindings, and nothing of the libraries beneath. */
class PublicSignaturesTest {
    /** The library's own hidden packages, and the libraries that it may change without anybody's noticing. */
    private static final Pattern HIDDEN = Pattern.compile(
            "io\\.github\\.internvl4j\\.(runtime|host|internal)\\.|org\\.bytedeco\\.|com\\.fasterxml\\.|com\\.google\\.|com\\.drew\\.");

    @Test
    void theModuleExportsWhatIsPublicAndNoMore() throws IOException, URISyntaxException {
        Path classes = Path.of(InternVL.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        ModuleDescriptor module = ModuleDescriptor.read(Files.newInputStream(classes.resolve("module-info.class")));
        Set<String> exported = module.exports().stream()
                .filter(export -> !export.isQualified())
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toSet());
        assertEquals(Set.copyOf(PublicApi.PACKAGES), exported);
    }

    @Test
    void noSignatureNamesWhatIsHidden() {
        assertTrue(PublicApi.types().size() > 50, PublicApi.types()::toString);
        Set<String> found = new TreeSet<>();
        for (Class<?> type : PublicApi.types()) {
            Stream<String> members = PublicApi.members(type).stream().map(Executable::toGenericString);
            Stream<String> fields = Arrays.stream(type.getDeclaredFields())
                    .filter(field -> Modifier.isPublic(field.getModifiers()))
                    .map(Field::toGenericString);
            Stream<String> types = Stream.concat(
                            Stream.of(type.getGenericSuperclass()), Stream.of(type.getGenericInterfaces()))
                    .map(above -> type.getName() + " is a " + (above == null ? "" : above.getTypeName()));
            Stream.of(members, fields, types)
                    .flatMap(it -> it)
                    .filter(it -> HIDDEN.matcher(it).find())
                    .forEach(found::add);
        }
        assertEquals(Set.of(), found);
    }

    /** Records have public constructors, to which nothing can be added. Each says of itself why that is right for it. */
    @Test
    void recordsAreFewAndSmall() {
        List<String> records = PublicApi.types().stream()
                .filter(Class::isRecord)
                .map(type -> type.getName().substring(PublicApi.ROOT.length() + 1))
                .sorted()
                .toList();
        assertEquals(
                List.of(
                        "CheckReport$NonFinite",
                        "Device",
                        "LoadProgress",
                        "TokenLogprob",
                        "Tools$Call",
                        "hub.PullProgress",
                        "image.Tiling",
                        "text.ConversationTemplate$Wrapping",
                        "text.RenderedPrompt",
                        "text.Segment",
                        "text.Stretch",
                        "text.ThinkingStream$Parts"),
                records);
    }
}
