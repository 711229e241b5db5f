package io.github.internvl4j.hub;

import java.net.URI;
import java.util.Locale;

/** What of an address decides whether a token may go there. */
final class Address {
    private static final int HTTP = 80;
    private static final int HTTPS = 443;

    private Address() {}

    /** Scheme, host and port, as they are compared. */
    static String origin(URI address) {
        String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
        int port = address.getPort() >= 0 ? address.getPort() : scheme.equals("https") ? HTTPS : HTTP;
        return scheme + "://" + host(address) + ":" + port;
    }

    /** By its name alone: nobody is asked what it stands for. */
    static boolean isThisMachine(URI address) {
        String host = host(address);
        return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.\\d{1,3}){3}");
    }

    static boolean isEncrypted(URI address) {
        return "https".equalsIgnoreCase(address.getScheme());
    }

    /** Whether nobody on the way can read what is sent. */
    static boolean isPrivate(URI address) {
        return isEncrypted(address) || isThisMachine(address);
    }

    private static String host(URI address) {
        return String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
    }

    /** Without the query, which may be a signature that opens the file for whoever has it. */
    static String shown(URI address) {
        return Shown.text(address.toString().replaceFirst("[?#].*", ""));
    }
}
