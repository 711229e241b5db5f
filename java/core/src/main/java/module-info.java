/**
 * The library. On the module path FFmpeg, which videos need, is added by the application: {@code --add-modules
 * org.bytedeco.ffmpeg,org.bytedeco.ffmpeg.linux.x86_64}. So is Micrometer: {@code requires micrometer.core}.
 */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"
}) // others' libraries, and the binding, whose classes are generated
module internvl4j {
    requires transitive java.desktop;
    requires com.drew.metadata;
    requires com.fasterxml.jackson.databind;
    requires com.google.protobuf;
    requires internvl4j.binding;
    requires java.net.http;
    requires kotlin.stdlib; // of webp.imageio, which has no descriptor and so cannot ask for it
    requires org.bytedeco.javacpp;
    // Its native part: no module but the one of the platform has it.
    requires org.bytedeco.javacpp.linux.x86_64;
    requires webp.imageio;
    requires static org.bytedeco.ffmpeg;
    requires static micrometer.core;
    requires static transitive org.jspecify;

    exports io.github.internvl4j;
    exports io.github.internvl4j.error;
    exports io.github.internvl4j.hub;
    exports io.github.internvl4j.image;
    exports io.github.internvl4j.micrometer;
    exports io.github.internvl4j.tensor;
    exports io.github.internvl4j.text;
    exports io.github.internvl4j.train;
    exports io.github.internvl4j.video;

    // Records made from JSON.
    opens io.github.internvl4j.runtime to
            com.fasterxml.jackson.databind;
}
