package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether an answer is of the file that was listed: told before its bytes have come, of which there may be gigabytes. */
final class FileIdentity {
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");

    private final URI address;
    private final String commit;
    private final RemoteFile file;

    FileIdentity(URI address, String commit, RemoteFile file) {
        this.address = address;
        this.commit = commit;
        this.file = file;
    }

    /** @throws HubException if the hub says that it is another file */
    void require(HubClient.Answer answer) {
        same("commit", answer.fromHub("X-Repo-Commit"), commit);
        same("hash", answer.fromHub("X-Linked-Etag").map(FileIdentity::plain), file.etag());
        same("size", answer.fromHub("X-Linked-Size"), String.valueOf(file.size()));
        String encoding = answer.headers().firstValue("Content-Encoding").orElse("identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            throw new HubException(
                    Address.shown(address) + " comes encoded as " + Shown.text(encoding) + ", which was not asked for");
        }
        if (!answer.isPart() && !answer.isBeyond()) {
            Optional<String> length = answer.headers().firstValue("Content-Length");
            if (length.isPresent() && !length.get().equals(String.valueOf(file.size()))) {
                throw wrongSize(address, Shown.text(length.get()), file.size());
            }
        }
    }

    private void same(String what, Optional<String> said, String expected) {
        if (said.isPresent() && !said.get().equals(expected)) {
            throw new HubException(Address.shown(address) + " is not what the hub lists: its " + what + " is "
                    + Shown.text(said.get()) + ", expected " + expected);
        }
    }

    private static String plain(String etag) {
        return etag.replaceFirst("^W/", "").replace("\"", "");
    }

    /** Whether a part begins where the bytes that are there end. */
    static boolean goesOn(HubClient.Answer answer, long from, long size) {
        Matcher range =
                RANGE.matcher(answer.headers().firstValue("Content-Range").orElse(""));
        return range.matches()
                && Long.parseLong(range.group(1)) == from
                && (range.group(2).equals("*") || Long.parseLong(range.group(2)) == size);
    }

    static HubException wrongSize(URI address, String found, long expected) {
        return new HubException(Address.shown(address) + " is not what the hub lists: it has " + found
                + " bytes, expected " + expected);
    }
}
