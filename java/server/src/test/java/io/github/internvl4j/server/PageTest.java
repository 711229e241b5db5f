package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.interactions.Actions;

/** The page in a browser: what people do with it. */
class PageTest {
    private static final Path SAMPLES = Fixture.DEMO.resolve("samples");
    private static final String ASKED = "What is in the middle?";

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    @RegisterExtension
    static final Browser browser = new Browser();

    @BeforeEach
    void begin() throws Exception {
        browser.look(1280, false);
        load();
        browser.forget();
        load();
    }

    private void load() throws Exception {
        browser.driver.get(fixture.server.address().toString());
        soon("#model", Fixture.NAME);
    }

    @AfterEach
    void nobodyElseWasAsked() throws Exception {
        String ours = fixture.server.address().toString();
        for (String url : browser.requests()) {
            assertTrue(url.startsWith(ours) || url.startsWith("data:"), "a foreign request: " + url);
        }
        assertEquals(List.of(), browser.complaints());
    }

    private void soon(String css, String text) throws InterruptedException {
        assertTrue(
                Fixture.soon(() -> String.valueOf(
                                browser.js("return document.querySelector(arguments[0])?.textContent", css))
                        .contains(text)),
                () -> css + " never said " + text + ": " + browser.find("body").getText());
    }

    /** Until nothing is being answered. */
    private void answered() throws InterruptedException {
        assertTrue(
                Fixture.soon(() -> browser.shows("#send") && browser.shows("li:last-child .foot")), "an answer's end");
    }

    private void ask(String question) throws InterruptedException {
        browser.find("#question").sendKeys(question + Keys.ENTER);
        answered();
    }

    private String answer() {
        return browser.find("#turns > li:last-child .text").getText();
    }

    private static String expected(String image) throws Exception {
        return fixture.answer("/v1/chat/completions", Fixture.question(ASKED, Fixture.image(image), ""))
                .at("/choices/0/message/content")
                .asText();
    }

    /** Makes the answers to come long, so that there is time to do something meanwhile. */
    private void lengthen() {
        browser.js("""
                window.usual ??= window.fetch;
                window.fetch = (url, how) => window.usual(url,
                  how?.body ? { ...how, body: how.body.replace("{", '{"min_tokens":1000,') } : how);
                """);
    }

    /**
     * Does it in the page as soon as its condition holds: by the time that a driver has asked and clicked, an answer can be over.
     *
     * @param condition, action in JavaScript
     */
    private void asSoonAs(String condition, String action) {
        browser.js("""
                window.did = false;
                new MutationObserver((changes, self) => {
                  if (window.did || !(%s)) return;
                  window.did = true;
                  self.disconnect();
                  %s;
                }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
                """.formatted(condition, action));
    }

    private void did(String what) throws InterruptedException {
        assertTrue(Fixture.soon(() -> Boolean.TRUE.equals(browser.js("return window.did"))), what);
    }

    @Test
    void imagesAreDroppedPastedOrChosenAndAskedAbout() throws Exception {
        browser.bring("dragenter", SAMPLES.resolve("two.jpg"));
        assertTrue(browser.shows("#drop"));
        browser.bring("drop", SAMPLES.resolve("two.jpg"));
        assertFalse(browser.shows("#drop"));
        assertTrue(Fixture.soon(() -> browser.all("#shown img").size() == 1));
        ask(ASKED);
        assertEquals(expected("two.jpg"), answer());
        assertTrue(browser.find(".foot").getText().contains("tokens"));
        browser.bring("paste", SAMPLES.resolve("three.jpg"));
        browser.find("#files").sendKeys(SAMPLES.resolve("four.png").toRealPath().toString());
        assertTrue(Fixture.soon(() -> browser.all("#shown img").size() == 2));
        browser.find("#shown li:first-child button").click();
        assertEquals(1, browser.all("#shown img").size());
        ask("And here?");
        assertEquals(2, browser.all("#turns > li").size());
        assertFalse(answer().isEmpty());
    }

    @Test
    void anAnswerStreamsAndCanBeStopped() throws Exception {
        lengthen();
        asSoonAs(
                "document.querySelector('#turns > li:last-child .text')?.textContent",
                "const [stop, send] = ['stop', 'send'].map((id) => document.getElementById(id));"
                        + "window.shown = [!stop.hidden, !send.hidden]; stop.click()");
        browser.find("#question").sendKeys("Hello" + Keys.ENTER);
        did("it streams");
        answered();
        assertEquals(List.of(true, false), browser.js("return window.shown"));
        assertTrue(browser.find(".foot").getText().contains("stopped"));
        assertTrue(browser.all(".going").isEmpty());
        assertTrue(Fixture.soon(() -> Fixture.MODEL.counts().running() == 0), "the server has stopped, too");
        String part = answer();
        assertFalse(part.isEmpty());
        browser.driver.navigate().refresh();
        soon("#model", Fixture.NAME);
        assertEquals(part, answer(), "what came before is kept");
    }

    @Test
    void aQuestionIsAskedAgainOrChanged() throws Exception {
        ask("Hello");
        String first = answer();
        lengthen();
        asSoonAs(
                "document.querySelector('.going')",
                "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))");
        button("Retry");
        did("it is answered again");
        browser.js("window.fetch = window.usual");
        answered();
        button("Retry");
        answered();
        assertTrue(Fixture.soon(() -> answer().equals(first)), answer());
        button("Edit");
        assertEquals("Hello", browser.find("#question").getDomProperty("value"));
        ask(" again");
        assertEquals(1, browser.all("#turns > li").size());
        assertEquals("Hello again", browser.find(".asked").getText());
        assertEquals(1, browser.all("#history li").size());
    }

    private void button(String name) {
        browser.all("#turns > li:last-child .foot button").stream()
                .filter(one -> one.getText().equals(name))
                .findFirst()
                .orElseThrow()
                .click();
    }

    @Test
    void aReloadKeepsWhatWasSaid() throws Exception {
        browser.bring("drop", SAMPLES.resolve("two.jpg"));
        assertTrue(Fixture.soon(() -> browser.all("#shown img").size() == 1));
        ask(ASKED);
        String said = answer();
        browser.driver.navigate().refresh();
        soon("#model", Fixture.NAME);
        assertEquals(said, answer());
        assertEquals(1, browser.all("#turns img").size());
        browser.find("#fresh").click();
        assertTrue(browser.shows("#welcome"));
        browser.find("#history button").click();
        assertEquals(said, answer());
        browser.find("#history li button:last-child").click();
        assertTrue(browser.shows("#welcome"));
        browser.driver.navigate().refresh();
        soon("#model", Fixture.NAME);
        assertTrue(browser.all("#history li").isEmpty(), "what was forgotten is");
    }

    @Test
    void twoTabsDoNotDisturbEachOther() throws Exception {
        ask("First tab");
        String one = browser.driver.getWindowHandle();
        browser.driver.switchTo().newWindow(WindowType.TAB);
        load();
        assertTrue(browser.shows("#welcome"), "a tab begins anew");
        assertEquals(1, browser.all("#history li").size());
        ask("Second tab");
        browser.driver.switchTo().window(one);
        soon("#history", "Second tab");
        assertEquals("First tab", browser.find(".asked").getText());
        ask("First again");
        assertEquals(2, browser.all("#turns > li").size());
        browser.driver.navigate().refresh();
        soon("#model", Fixture.NAME);
        assertEquals(2, browser.all("#history li").size());
        assertEquals(2, browser.all("#turns > li").size());
    }

    @Test
    void everythingIsReachedByKeyboard() throws Exception {
        ask("Hello");
        Set<String> reached = new TreeSet<>();
        for (int i = 0; i < 25; i++) {
            new Actions(browser.driver).sendKeys(Keys.TAB).perform();
            reached.add(String.valueOf(browser.js("const at = document.activeElement;"
                    + " return at.id || at.getAttribute('aria-label') || at.textContent")));
            assertEquals(
                    true,
                    browser.js("const at = document.activeElement; if (at === document.body) return true;"
                            + " const box = at.closest('.line') ?? at;"
                            + " return at.id === 'question'"
                            + " ? getComputedStyle(box).borderColor === getComputedStyle(document.getElementById('send')).backgroundColor"
                            + " : getComputedStyle(at).outlineStyle !== 'none'"),
                    "one sees where one is");
        }
        List<String> wanted = new ArrayList<>(List.of(
                "attach", "question", "send", "tune", "fresh", "Hello", "Forget: Hello", "Copy", "Retry", "Edit"));
        wanted.removeAll(reached);
        assertEquals(List.of(), wanted, "of " + reached);
        browser.js("document.getElementById('tune').focus()");
        new Actions(browser.driver).sendKeys(Keys.ENTER).perform();
        assertTrue(browser.shows("#settings"));
        new Actions(browser.driver).sendKeys(Keys.ESCAPE).perform();
        assertFalse(browser.shows("#settings"));
        assertEquals("tune", browser.js("return document.activeElement.id"), "and is back where one was");
    }

    @Test
    void aServerThatFailsIsSaidSo() throws Exception {
        browser.js("window.fetch = async () => { throw new Error('the cable is out') }");
        browser.find("#question").sendKeys("Hello" + Keys.ENTER);
        soon(".problem", "the cable is out");
        answered();
    }

    /** An answer may hold anything; none of it runs, or asks anybody. */
    @Test
    void markupInAnAnswerIsHarmless() throws Exception {
        browser.js("""
                window.usual = window.fetch;
                window.fetch = async () => new Response('data: ' + JSON.stringify({ choices: [{ delta: { content:
                  "<img src=http://127.0.0.2/a onerror=document.title='run'> <script>document.title='run'</scr" + "ipt>"
                  + " ![a](http://127.0.0.2/b) <b style='background:url(http://127.0.0.2/c)'>bold</b>"
                  + " <a href='javascript:document.title=1'>a</a>" } }] }) + '\\n\\ndata: [DONE]\\n\\n');
                """);
        browser.find("#question").sendKeys("Hello" + Keys.ENTER);
        answered();
        assertTrue(answer().contains("bold"), answer());
        assertTrue(browser.all(".text img, .text script, .text [style], .text a[href^=javascript]")
                .isEmpty());
        assertTrue(browser.driver.getTitle().startsWith(Fixture.NAME));
        browser.forget();
        assertTrue(
                browser.complaints().stream().allMatch(one -> one.contains("inline style violates")),
                "the policy kept the style away while the markup was cleaned");
    }
}
