/**
 * Videos as sequences of images. Needs FFmpeg, {@code org.bytedeco:ffmpeg}, which is an optional dependency: nothing
 * of it is loaded before a video is opened.
 */
@NullMarked
package io.github.internvl4j.video;

import org.jspecify.annotations.NullMarked;
