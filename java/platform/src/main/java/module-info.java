/** The library with videos: what on the module path would have to be added by name. */
@SuppressWarnings("requires-automatic") // the library needs some
module internvl4j.platform {
    requires transitive internvl4j;
    requires org.bytedeco.ffmpeg;
    requires org.bytedeco.ffmpeg.linux.x86_64;
}
