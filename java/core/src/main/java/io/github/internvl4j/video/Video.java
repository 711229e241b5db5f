package io.github.internvl4j.video;

import io.github.internvl4j.image.Image;

/** An open video, whoever decodes it. Not for several threads at once. */
interface Video extends AutoCloseable {
    long frameCount();

    double averageFps();

    int width();

    int height();

    /** The frame of this number, in the order of presentation. */
    Image frame(long index);

    @Override
    void close();
}
