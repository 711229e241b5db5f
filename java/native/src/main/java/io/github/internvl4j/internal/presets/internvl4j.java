package io.github.internvl4j.internal.presets;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to read {@code internvl4j.h} and {@code training.h}. The API never throws (NoException), its text is UTF-8, and its enums
 * stay ints: a value this binding does not know must not break the call that returns it.
 */
@Properties(
        value = {
            @Platform(
                    value = {"linux-x86_64"},
                    include = {"internvl4j/internvl4j.h", "internvl4j/training.h"},
                    link = "internvl4j",
                    define = {"STRING_BYTES_CHARSET \"UTF-8\""}),
            // The same with GPUs; taken before the other where both are there.
            @Platform(
                    value = {"linux-x86_64"},
                    extension = {"-gpu"})
        },
        target = "io.github.internvl4j.internal",
        global = "io.github.internvl4j.internal.global.internvl4j")
@NoException
public class internvl4j implements InfoMapper {
    @Override
    public void map(InfoMap infoMap) {
        infoMap.put(new Info("IVL_API").cppTypes().annotations());
    }
}
