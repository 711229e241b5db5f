package io.github.internvl4j.hub;

import org.jspecify.annotations.Nullable;

/**
 * A file of a repository as the hub lists it.
 *
 * @param path from the repository's root, with {@code /} between folders
 * @param size in bytes
 * @param blobId Git's id of the content, or of what stands for it: 40 hexadecimal digits
 * @param sha256 of the content where that is kept outside of Git, else null: 64 hexadecimal digits
 * @param xetHash the content's name in another store, which is not used here; null if it has none
 */
record RemoteFile(
        String path,
        long size,
        String blobId,
        @Nullable String sha256,
        @Nullable String xetHash) {
    /** The content's name in the cache, which its hash has to be. */
    String etag() {
        return sha256 != null ? sha256 : blobId;
    }
}
