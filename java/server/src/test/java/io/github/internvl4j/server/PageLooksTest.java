package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;

/**
 * The page at the widths of a telephone, a tablet and a desk, light and dark: nothing to scroll sideways, nothing that axe holds against
 * it. {@code target/page} has pictures of it afterwards, for whoever wants to see.
 */
class PageLooksTest {
    @RegisterExtension
    static final Fixture fixture = new Fixture();

    /** What answers look like that have everything in them. */
    private static final String RICH = """
            # Two shapes\\n\\nThe image shows **two** shapes: a `circle`, and a square.\\n\\n| shape | colour | where |
            |---|---|---|\\n| circle | red | in the middle of the upper half |\\n| square | blue | below |\\n
            1. First this\\n2. then [that](https://example.com)\\n\\n> and a quotation\\n
            ```java\\nReply reply = model.generate(Prompt.of("Please describe the image shortly.", image), config);\\n```
            """.replace("\n", "\\n").replace("\\n\\n\\n", "\\n\\n");

    @RegisterExtension
    static final Browser browser = new Browser();

    @ParameterizedTest
    @CsvSource({"320, false", "320, true", "768, false", "768, true", "1280, false", "1280, true"})
    void isRightAtAnyWidthInAnyLight(int width, boolean dark) throws Exception {
        browser.look(width, dark);
        browser.driver.get(fixture.server.address().toString());
        browser.forget();
        browser.driver.navigate().refresh();
        assertTrue(Fixture.soon(() -> browser.find("#model").getText().equals(Fixture.NAME)));
        String name = width + (dark ? "-dark-" : "-light-");
        look(width, name + "1-welcome");
        browser.bring("drop", Fixture.DEMO.resolve("samples").resolve("two.jpg"));
        browser.bring("drop", Fixture.DEMO.resolve("samples").resolve("four.png"));
        assertTrue(Fixture.soon(() -> browser.all("#shown img").size() == 2));
        look(width, name + "2-question");
        rich();
        browser.find("#question").sendKeys("What do the images show, and how do they differ?" + Keys.ENTER);
        assertTrue(Fixture.soon(() -> browser.shows("#send") && browser.shows(".foot")));
        look(width, name + "3-answer");
        if (browser.shows("#menu")) {
            browser.find("#menu").click();
            assertTrue(Fixture.soon(() -> browser.shows("#fresh")));
            Thread.sleep(300); // it slides
            look(width, name + "4-menu");
            browser.find("body").sendKeys(Keys.ESCAPE);
            assertTrue(Fixture.soon(() -> !browser.shows("#fresh")));
        }
        browser.find("#tune").click();
        look(width, name + "5-settings");
    }

    private static void rich() {
        browser.js(
                "window.fetch = async () => new Response('data: ' + JSON.stringify({ choices: [{ delta: { content: \""
                        + RICH.replace("\"", "\\\"")
                        + "\" }, finish_reason: 'stop' }], usage: { completion_tokens: 96 } }) + '\\n\\ndata: [DONE]\\n\\n')");
    }

    private static void look(int width, String name) throws Exception {
        browser.screenshot(Path.of("target", "page", name + ".png"));
        assertEquals(
                (long) width, browser.js("return document.documentElement.scrollWidth"), name + " scrolls sideways");
        assertEquals("", browser.faults(), name);
    }
}
