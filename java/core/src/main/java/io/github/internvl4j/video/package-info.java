/**
 * Films as sequences of pictures. Needs FFmpeg, {@code org.bytedeco:ffmpeg}, which is an optional dependency: nothing
 * of it is loaded before a film is opened.
 */
@NullMarked
package io.github.internvl4j.video;

import org.jspecify.annotations.NullMarked;
