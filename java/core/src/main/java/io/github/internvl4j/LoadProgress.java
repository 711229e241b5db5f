package io.github.internvl4j;

/**
 * How far loading is. The numbers of bytes are those of the checkpoint's weights; a part that is used where the file is
 * mapped counts when it is checked and bound.
 * A record: done and total are all there is to tell.
 *
 * @param stepsDone parts (about a layer each) that are loaded
 * @param stepsTotal all parts
 * @param bytesDone bytes of the loaded parts, about
 * @param bytesTotal bytes of all weights
 */
public record LoadProgress(long stepsDone, long stepsTotal, long bytesDone, long bytesTotal) {}
