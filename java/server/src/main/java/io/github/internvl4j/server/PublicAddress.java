package io.github.internvl4j.server;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/** Which addresses are of the open internet: none of this machine, of a network around it, or of a cloud's inside. */
final class PublicAddress {
    /** IANA's special purposes, multicast, and addresses that clouds keep for their metadata. */
    private static final List<Block> NOT_IPV4 = blocks(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10", // carriers' networks, and Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32", // Azure's
            "169.254.0.0/16", // link-local, and most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4");

    private static final Block IPV6 = Block.of("2000::/3");

    /** Tunnels among them, Teredo and 6to4, which lead to addresses of IPv4. */
    private static final List<Block> NOT_IPV6 = blocks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

    /** Where a network of IPv6 alone finds hosts of IPv4. */
    private static final Block NAT64 = Block.of("64:ff9b::/96");

    private PublicAddress() {}

    private record Block(byte[] start, int bits) {
        static Block of(String text) {
            int slash = text.indexOf('/');
            try {
                byte[] start = InetAddress.getByName(text.substring(0, slash)).getAddress();
                return new Block(start, Integer.parseInt(text.substring(slash + 1)));
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        }

        boolean has(byte[] address) {
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> bit % 8;
                if (((start[bit / 8] ^ address[bit / 8]) & mask) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private static List<Block> blocks(String... texts) {
        return Arrays.stream(texts).map(Block::of).toList();
    }

    /** Whether an address is one of them. IPv4 in IPv6's clothes is IPv4 to Java already. */
    static boolean is(InetAddress address) {
        return isGlobal(address.getAddress()) && !isOurs(address);
    }

    private static boolean isGlobal(byte[] address) {
        if (address.length == 4) {
            return NOT_IPV4.stream().noneMatch(block -> block.has(address));
        }
        if (NAT64.has(address)) {
            return isGlobal(Arrays.copyOfRange(address, 12, 16));
        }
        return IPV6.has(address) && NOT_IPV6.stream().noneMatch(block -> block.has(address));
    }

    /** What listens on this machine may trust whoever reaches it from here, under a public address, too. */
    private static boolean isOurs(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return true; // nobody knows
        }
    }
}
