package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The table of published models. */
class ModelsCommandTest {
    private static final Pattern BILLIONS = Pattern.compile("-(\\d+)B");
    private static JsonNode models;

    @BeforeAll
    static void ask() throws IOException {
        models = run("models", "--json").succeeded().json();
    }

    @Test
    void theDocumentationHasTheTable() throws IOException {
        String table = run("models", "--markdown").succeeded().out();
        String document = Files.readString(Cli.DATA.resolve("../java/cli/README.md"));
        assertEquals(
                table,
                document.substring(document.indexOf("| model |")),
                "java/cli/README.md ends with another table than scripts/internvl4j models --markdown prints");
    }

    /** A name's billions are about what its configuration adds up to: a wrong shape is far off. */
    @Test
    void parametersAreWhatTheNamesSay() {
        int told = 0;
        for (JsonNode model : models) {
            Matcher billions = BILLIONS.matcher(model.get("models").get(0).asText());
            if (model.get("runs").asBoolean() && billions.find()) {
                double named = Double.parseDouble(billions.group(1));
                assertEquals(1, model.get("parameters").asDouble() / 1e9 / named, 0.2, model::toString);
                told++;
            }
        }
        assertTrue(told >= 20, "only " + told);
    }

    @Test
    void whatDoesNotRunIsTheLibrarysAnswer() {
        for (JsonNode model : models) {
            String name = model.get("models").get(0).asText();
            String why = model.path("why_not").asText();
            assertEquals(model.get("runs").asBoolean(), why.isEmpty(), name);
            assertFalse(why.contains("/"), why);
            if (name.equals("InternVL3_5-GPT-OSS-20B-A4B")) {
                assertTrue(why.contains("GptOssForCausalLM"), why);
            }
        }
    }

    @Test
    void memoryGrowsWithTheContext() {
        for (JsonNode model : models) {
            long narrower = 0;
            for (JsonNode memory : model.path("memory_mib")) {
                assertTrue(
                        memory.get("full").asLong()
                                >= memory.get("short_context").asLong(),
                        model::toString);
                assertTrue(memory.get("short_context").asLong() > narrower, model::toString);
                narrower = memory.get("short_context").asLong();
            }
        }
    }

    @Test
    void atATerminalItSaysWhatFits() {
        String table = run("models").succeeded().out();
        assertTrue(
                table.contains("InternVL3-8B") && table.contains("does not run: needs the resolution router"), table);
    }
}
