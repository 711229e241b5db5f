package io.github.internvl4j.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.HubException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The questions to a hub: which commit a revision is, which files that has, and where they are. */
final class HubApi {
    private static final int LARGEST_ANSWER = 32 << 20;
    private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;[^,]*\\brel=\"?next\"?");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HubOptions options;
    private final ModelName name;
    private final HubClient client;
    private final Function<String, Retries> retries;

    /** @param retries makes those for something that is tried */
    HubApi(HubOptions options, ModelName name, HubClient client, Function<String, Retries> retries) {
        this.options = options;
        this.name = name;
        this.client = client;
        this.retries = retries;
    }

    private record Page(JsonNode json, @Nullable URI next) {}

    /** The commit that the revision is now. */
    String commit() throws InterruptedException {
        URI address = model("/revision/" + name.escapedRevision());
        return new Listing(Address.shown(address)).commit(get(address).json());
    }

    /** Every file of a commit. */
    List<RemoteFile> files(String commit) throws InterruptedException {
        List<RemoteFile> files = new ArrayList<>();
        URI at = model("/tree/" + commit + "?recursive=true");
        Listing listing = new Listing(Address.shown(at));
        while (at != null) {
            Page page = get(at);
            List<RemoteFile> more = listing.files(page.json());
            files.addAll(more);
            if (files.size() > Listing.MOST_FILES || page.json().isEmpty() && page.next() != null) {
                throw new HubException(Address.shown(at) + " lists files without an end");
            }
            at = page.next();
        }
        return files;
    }

    private URI model(String what) {
        return URI.create(options.endpoint() + "/api/models/" + name.repository() + what);
    }

    /** Where a commit has a file of the checkpoint. */
    URI file(String commit, RemoteFile file) {
        return URI.create(options.endpoint() + "/" + name.repository() + "/resolve/" + commit + "/" + file.path());
    }

    private Page get(URI address) throws InterruptedException {
        Retries tries = retries.apply(Address.shown(address));
        while (true) {
            try (HubClient.Answer answer = client.get(address, Map.of())) {
                return new Page(json(address, answer.body()), next(address, answer));
            } catch (IOException e) {
                tries.failed(e);
            }
        }
    }

    private static JsonNode json(URI address, TimedBody body) throws IOException, InterruptedException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (ByteBuffer bytes = body.next(); bytes != null; bytes = body.next()) {
            if (all.size() + bytes.remaining() > LARGEST_ANSWER) {
                throw new HubException(
                        Address.shown(address) + " answers with more than " + Shown.bytes(LARGEST_ANSWER));
            }
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            all.write(copy);
        }
        try {
            return JSON.readTree(all.toByteArray());
        } catch (JsonProcessingException e) {
            throw new HubException(
                    Address.shown(address) + " does not answer as a hub does, in JSON: "
                            + Shown.text(e.getOriginalMessage()) + "; HF_ENDPOINT names the hub",
                    e);
        }
    }

    private static @Nullable URI next(URI address, HubClient.Answer answer) {
        for (String link : answer.headers().allValues("Link")) {
            Matcher found = NEXT.matcher(link);
            if (found.find()) {
                try {
                    return address.resolve(found.group(1));
                } catch (IllegalArgumentException e) {
                    throw new HubException(
                            Address.shown(address) + " has a next page at '" + Shown.text(found.group(1))
                                    + "', which is no address",
                            e);
                }
            }
        }
        return null;
    }
}
