package io.github.internvl4j.hub;

/**
 * How far a download is. What was in the cache already counts as done.
 * A record: done and total are all there is to tell.
 *
 * @param filesDone files that are whole and checked
 * @param filesTotal files of the checkpoint
 * @param bytesDone bytes that are here; fewer than before when a file had to be begun again
 * @param bytesTotal bytes of all files
 */
public record PullProgress(int filesDone, int filesTotal, long bytesDone, long bytesTotal) {}
