package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** URLs that would have the server look around on the inside: refused, though it may fetch from any host of the internet. */
class HostileUrlsTest {
    private static final Map<String, String> INSIDE = Map.of(
            "localhost", "127.0.0.1",
            "localhost.", "127.0.0.1",
            "inside.test", "10.1.2.3",
            "metadata.google.internal", "169.254.169.254",
            "127.0.0.1.nip.test", "127.0.0.1",
            "six.test", "fd12::1");

    @RegisterExtension
    static final Fixture fixture = new Fixture(
            Fixture.options().remoteImages(List.of("*")),
            Limits.Times.defaults(),
            new RemoteImages.World(HostileUrlsTest::names, PublicAddress::is, null));

    /** No name leaves this machine; addresses are what Java takes them for. */
    private static InetAddress[] names(String host) throws UnknownHostException {
        if (host.equals("mixed.test")) {
            return new InetAddress[] {InetAddress.getByName("93.184.216.34"), InetAddress.getByName("127.0.0.1")};
        }
        String address = INSIDE.getOrDefault(host, host);
        if (!address.matches("[0-9a-fA-Fx.:%lo]+")) {
            throw new UnknownHostException(host);
        }
        return InetAddress.getAllByName(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1/a.png",
                "HTTP://127.0.0.1:8000/metrics",
                "http://127.1/",
                "http://0/",
                "http://0.0.0.0/",
                "http://2130706433/",
                "http://0x7f000001/",
                "http://017700000001/",
                "http://localhost/",
                "http://LOCALHOST./",
                "http://127.0.0.1.nip.test/",
                "http://[::1]/",
                "http://[::]/",
                "http://[::ffff:127.0.0.1]/",
                "http://[::ffff:a9fe:a9fe]/",
                "http://[::127.0.0.1]/",
                "http://[64:ff9b::7f00:1]/",
                "http://[64:ff9b::a9fe:a9fe]/",
                "http://[64:ff9b:1::a00:1]/",
                "http://[2002:7f00:1::]/",
                "http://[2002:a9fe:a9fe::1]/",
                "http://[2001:0:a00:1::1]/",
                "http://[fe80::1]/",
                "http://[fe80::1%25lo]/",
                "http://[fc00::1]/",
                "http://[fd00:ec2::254]/latest/meta-data/",
                "http://[ff02::1]/",
                "http://[2001:db8::1]/",
                "http://six.test/",
                "http://10.0.0.1/",
                "http://172.16.0.1/",
                "http://172.31.255.255/",
                "http://192.168.1.1/",
                "http://169.254.169.254/latest/meta-data/",
                "http://metadata.google.internal/computeMetadata/v1/",
                "http://100.64.0.1/",
                "http://100.100.100.200/",
                "http://168.63.129.16/",
                "http://192.0.0.192/opc/v2/",
                "http://198.18.0.1/",
                "http://224.0.0.1/",
                "http://255.255.255.255/",
                "https://inside.test/",
                "http://mixed.test/",
                "http://unknown.test/",
                "http://user:password@unknown.test/",
                "http://unknown.test@127.0.0.1/",
                "http://127.0.0.1#@unknown.test/",
                "http://127.0.0.1\\\\@unknown.test/",
                "http://unknown.test:22/",
                "http://unknown.test:0/",
                "http://unknown.test:99999/",
                "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
                "http://unknown.test/a b",
                "http://unknown.test/\\u000d\\u000aHost: a",
                "http:///a.png",
                "http:a.png",
                "http+unix://socket/a",
                "//127.0.0.1/a.png",
                "file:///etc/passwd",
                "ftp://127.0.0.1/a.png",
                "gopher://127.0.0.1:6379/_INFO",
                "jar:http://127.0.0.1!/a",
                "javascript:alert(1)"
            })
    void isRefused(String url) throws Exception {
        HttpResponse<String> response =
                fixture.post("/v1/chat/completions", Fixture.question("What?", url, ", \"max_tokens\": 1"));
        assertEquals(400, response.statusCode(), response.body());
        JsonNode error = Fixture.JSON.readTree(response.body()).get("error");
        assertEquals("messages[0].content[0]", error.get("param").asText());
        String message = error.get("message").asText();
        assertTrue(message.contains("expected") || message.contains("send the image as data:"), message);
        for (String address : INSIDE.values()) {
            assertFalse(message.contains(address) && !url.contains(address), message);
        }
    }
}
