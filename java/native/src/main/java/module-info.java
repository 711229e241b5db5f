/** The generated binding. Open, since JavaCPP looks into its classes. */
open module internvl4j.binding {
    requires transitive org.bytedeco.javacpp;

    exports io.github.internvl4j.internal;
    exports io.github.internvl4j.internal.global;
}
