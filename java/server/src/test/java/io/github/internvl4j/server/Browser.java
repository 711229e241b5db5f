package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LoggingPreferences;

/** Chromium without a window, as Debian has it: {@code apt-get install chromium chromium-driver}. */
final class Browser implements BeforeAllCallback, AfterAllCallback {
    private static final String AXE = script();

    /** It would warn of each Chromium that is newer than itself. */
    private static final Logger TALKATIVE = Logger.getLogger("org.openqa.selenium.devtools.CdpVersionFinder");

    static {
        TALKATIVE.setLevel(Level.SEVERE);
    }

    /** Of one with an empty profile, from the first test to the last; they are skipped where there is none. */
    ChromeDriver driver;

    private final List<String> asked = new ArrayList<>();

    @Override
    public void beforeAll(ExtensionContext context) {
        Optional<File> browser = command("chromium");
        Optional<File> remote = command("chromedriver");
        assumeTrue(
                browser.isPresent() && remote.isPresent(),
                "there is no browser to look at the page with; Debian: apt-get install chromium chromium-driver");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable("browser", Level.ALL);
        logs.enable("performance", Level.ALL);
        ChromeOptions options = new ChromeOptions()
                .setBinary(browser.get())
                .addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en");
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(remote.get())
                .usingAnyFreePort()
                .build();
        driver = new ChromeDriver(service, options);
        driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(60));
    }

    private static Optional<File> command(String name) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> new File(folder, name))
                .filter(File::canExecute)
                .findFirst();
    }

    private static String script() {
        try (InputStream in = Browser.class.getResourceAsStream("/axe.min.js")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A window is never as narrow as a telephone; what the page sees of it can be. */
    void look(int width, boolean dark) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 800, "deviceScaleFactor", 1, "mobile", false));
        Map<String, String> scheme = Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light");
        driver.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
    }

    WebElement find(String css) {
        return driver.findElement(By.cssSelector(css));
    }

    List<WebElement> all(String css) {
        return driver.findElements(By.cssSelector(css));
    }

    Object js(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    boolean shows(String css) {
        return all(css).stream().anyMatch(WebElement::isDisplayed);
    }

    /** As if it had never been here: other tabs closed, nothing kept. */
    void forget() {
        List<String> tabs = new ArrayList<>(driver.getWindowHandles());
        String stays = tabs.remove(0);
        tabs.forEach(tab -> driver.switchTo().window(tab).close());
        driver.switchTo().window(stays);
        js("localStorage.clear(); sessionStorage.clear()");
    }

    /** Drops a file onto the page, or pastes it. */
    void bring(String event, Path file) throws IOException {
        String type = file.toString().endsWith(".png") ? "image/png" : "image/jpeg";
        js("""
                const bytes = Uint8Array.from(atob(arguments[1]), (c) => c.charCodeAt(0));
                const data = new DataTransfer();
                data.items.add(new File([bytes], "a", { type: arguments[2] }));
                const event = arguments[0] === "paste"
                  ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                  : new DragEvent(arguments[0], { dataTransfer: data, bubbles: true, cancelable: true });
                document.body.dispatchEvent(event);
                """, event, Base64.getEncoder().encodeToString(Files.readAllBytes(file)), type);
    }

    /** What axe holds against the page as it is, in words. */
    String faults() {
        if (!Boolean.TRUE.equals(js("return Boolean(window.axe)"))) {
            js(AXE + "; window.axe = axe;");
        }
        return String.valueOf(driver.executeAsyncScript("""
                const done = arguments[0];
                axe.run().then((told) => done(told.violations.map((one) =>
                  `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).join(" ")}`).join("\\n")), (e) => done(String(e)));
                """));
    }

    /** The addresses of everything that was asked for so far. */
    List<String> requests() throws IOException {
        for (LogEntry entry : driver.manage().logs().get("performance")) {
            JsonNode message = Fixture.JSON.readTree(entry.getMessage()).get("message");
            if (message.get("method").asText().equals("Network.requestWillBeSent")) {
                asked.add(message.at("/params/request/url").asText());
            }
        }
        return asked;
    }

    /** What the console has to complain about. */
    List<String> complaints() {
        return driver.manage().logs().get("browser").getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(LogEntry::getMessage)
                .toList();
    }

    void screenshot(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (driver != null) {
            driver.quit();
        }
    }
}
