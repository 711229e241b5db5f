package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the linker and the JVM say, and what we make of it. */
class LoadFailureTest {
    private static String explain(Throwable thrown) {
        return String.valueOf(new LoadFailure("group:name", LoadFailureTest.class)
                .explain(thrown)
                .getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/a/x.so: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by /a/x.so) | needs GLIBC_2.34",
                "/a/x.so: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by x) | needs GLIBCXX_3.4.30",
                "/a/x.so: libgomp.so.1: cannot open shared object file: No such file or directory | needs libgomp.so.1",
                "Error relocating /a/x.so: __printf_chk: symbol not found | GNU C library",
                "/a/x.so: wrong ELF class: ELFCLASS64 (Possible cause: architecture word width mismatch) | another processor",
                "/a/x.so: cannot open (Possible cause: can't load AMD 64 .so on a AARCH64 platform) | another processor",
                "/a/x.so: cannot allocate memory in static TLS block | no memory",
                "/a/x.so: failed to map segment from shared object | grants no memory for it, or forbids its execution",
                "/a/x.so: cannot open shared object file: Permission denied | org.bytedeco.javacpp.cacheDir",
                "/a/x.so: cannot open shared object file: Too many open files | ulimit -n",
                "/a/x.so: something new | something new",
            })
    void theLinkersWordsAreExplained(String words, String explained) {
        UnsatisfiedLinkError last = new UnsatisfiedLinkError("no x in java.library.path");
        last.initCause(new UnsatisfiedLinkError(words));
        String message = explain(last);
        assertTrue(message.contains(explained) && message.contains("group:name"), message);
    }

    @Test
    void whatCannotBeUnpackedSaysWhy() {
        assertTrue(explain(new IOException("No space left on device")).contains("cannot be unpacked"));
        assertTrue(explain(new IllegalCallerException("no")).contains("--enable-native-access=ALL-UNNAMED"));
    }
}
