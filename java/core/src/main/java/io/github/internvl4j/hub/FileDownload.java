package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One file into its blob: goes on where an earlier download ended, and gives the blob its name only when size and hash are those
 * that the hub lists.
 */
final class FileDownload {
    private static final int BUFFER = 1 << 20;
    /** So many bytes in a row are no sign of trouble. */
    private static final long ENOUGH = 1 << 20;

    private final HubClient client;
    private final URI address;
    private final String commit;
    private final RemoteFile file;
    private final Path part;
    private final LongConsumer progress;
    private final Retries retries;

    private ContentHash hash;
    /** Whether the bytes came in one piece. */
    private boolean whole = true;
    /** The entity tag of where the bytes came from, if a range may rely on it. */
    private @Nullable String validator;

    /**
     * @param part where the bytes go until they are all there
     * @param progress told how many there are
     */
    FileDownload(
            HubClient client,
            URI address,
            String commit,
            RemoteFile file,
            Path part,
            LongConsumer progress,
            Retries retries) {
        this.client = client;
        this.address = address;
        this.commit = commit;
        this.file = file;
        this.part = part;
        this.progress = progress;
        this.retries = retries;
        hash = new ContentHash(file);
    }

    /** Only one thread of all processes may do this for a blob. */
    void into(Path blob) throws InterruptedException {
        try {
            HubCache.existing(Objects.requireNonNull(part.getParent()));
            try (FileChannel out = open()) {
                goOn(out);
                receiveAll(out);
                out.force(false);
            }
            Files.move(part, blob, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw unwritten(e);
        } catch (UncheckedIOException e) {
            throw unwritten(Objects.requireNonNull(e.getCause()));
        }
    }

    private HubException unwritten(IOException e) throws InterruptedException {
        if (e instanceof ClosedByInterruptException) {
            throw new InterruptedException();
        }
        return new HubException(
                FileProblems.describe(part, "written", e) + "; what is there stays, and the same pull goes on with it",
                e);
    }

    private FileChannel open() throws IOException {
        return FileChannel.open(
                part,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS);
    }

    /** Takes up what an earlier download left. */
    private void goOn(FileChannel out) throws IOException {
        if (out.size() > file.size()) {
            out.truncate(0);
        }
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        while (out.read(buffer) >= 0) {
            hash.add(buffer.flip());
            buffer.clear();
        }
        progress.accept(hash.count());
    }

    private void receiveAll(FileChannel out) throws IOException, InterruptedException {
        whole = hash.count() == 0;
        receive(out);
        String found = hash.value();
        if (!found.equals(file.etag()) && !whole) {
            restart(out); // the pieces may be of different files
            receive(out);
            found = hash.value();
        }
        if (!found.equals(file.etag())) {
            Files.deleteIfExists(part);
            throw new HubException(Address.shown(address) + " is not what the hub lists: its " + hash.algorithm()
                    + " is " + found + ", expected " + file.etag()
                    + "; it was thrown away, and another try may get the right one");
        }
    }

    private void restart(FileChannel out) {
        try {
            out.truncate(0);
            out.position(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        hash = new ContentHash(file);
        whole = true;
        validator = null;
        progress.accept(0);
    }

    /** Until as many bytes are there as the file has. Failures of the network are tried again, those of the disk are not. */
    private void receive(FileChannel out) throws InterruptedException {
        while (hash.count() < file.size()) {
            try (HubClient.Answer answer = client.get(address, range())) {
                begin(answer, out);
                copy(answer.body(), out);
            } catch (IOException e) {
                retries.failed(e);
            }
        }
    }

    private Map<String, String> range() {
        Map<String, String> headers = new LinkedHashMap<>();
        if (hash.count() > 0) {
            whole = false;
            headers.put("Range", "bytes=" + hash.count() + "-");
            if (validator != null) {
                headers.put("If-Range", validator);
            }
        }
        return headers;
    }

    /** Looks whether the answer is of this file, and where in it it begins. */
    private void begin(HubClient.Answer answer, FileChannel out) throws IOException {
        new FileIdentity(address, commit, file).require(answer);
        String tag = answer.headers()
                .firstValue("ETag")
                .filter(text -> text.startsWith("\""))
                .orElse(null);
        if (answer.isPart() || answer.isBeyond()) {
            boolean changed = validator != null && tag != null && !validator.equals(tag);
            if (answer.isBeyond() || changed || !FileIdentity.goesOn(answer, hash.count(), file.size())) {
                restart(out);
                throw new Retries.Passing("the rest of the file does not fit what is there; it is begun again", null);
            }
        } else if (hash.count() > 0) {
            restart(out); // all of it comes, as when it has changed
        }
        validator = tag;
    }

    private void copy(TimedBody body, FileChannel out) throws IOException, InterruptedException {
        long before = hash.count();
        for (ByteBuffer bytes = body.next(); bytes != null; bytes = body.next()) {
            if (bytes.remaining() > file.size() - hash.count()) {
                throw FileIdentity.wrongSize(address, "more than " + file.size(), file.size());
            }
            write(bytes, out);
            progress.accept(hash.count());
            if (hash.count() - before >= ENOUGH) {
                retries.succeeded();
            }
        }
        if (hash.count() < file.size()) {
            throw new Retries.Passing(
                    "the connection ended after " + hash.count() + " of " + file.size() + " bytes", null);
        }
    }

    private void write(ByteBuffer bytes, FileChannel out) {
        ByteBuffer same = bytes.duplicate();
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        hash.add(same);
    }
}
