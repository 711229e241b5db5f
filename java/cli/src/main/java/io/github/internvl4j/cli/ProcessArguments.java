package io.github.internvl4j.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The program's arguments. Java decodes them as the locale says, and without one (the locale C, of services and containers)
 * that is ASCII, with a question mark for each byte of everything else. The process' own record still has the bytes.
 */
final class ProcessArguments {
    private ProcessArguments() {}

    /** Whether Java takes arguments and names of files for ASCII. */
    static boolean localeIsAscii() {
        String name = System.getProperty("sun.jnu.encoding", "UTF-8");
        return Charset.isSupported(name) && Charset.forName(name).equals(StandardCharsets.US_ASCII);
    }

    /** The arguments as they were typed, in UTF-8; those given if that cannot be told. */
    static String[] typed(String[] given) {
        if (!localeIsAscii()) {
            return given;
        }
        try {
            return decoded(Files.readAllBytes(Path.of("/proc/self/cmdline")), given);
        } catch (IOException e) {
            return given;
        }
    }

    /**
     * @param record every argument of the process, with a zero behind each; the program's are the last
     * @param given what they are to Java: those it could read are as they are
     */
    static String[] decoded(byte[] record, String[] given) {
        List<byte[]> all = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < record.length; i++) {
            if (record[i] == 0) {
                all.add(Arrays.copyOfRange(record, start, i));
                start = i + 1;
            }
        }
        if (all.size() < given.length) {
            return given;
        }
        String[] typed = given.clone();
        for (int i = 0; i < typed.length; i++) {
            byte[] bytes = all.get(all.size() - given.length + i);
            if (given[i].chars().anyMatch(c -> c >= 0x80)) {
                typed[i] = utf8(bytes, given[i]);
            } else if (!given[i].equals(new String(bytes, StandardCharsets.US_ASCII))) {
                return given; // another program's record
            }
        }
        return typed;
    }

    private static String utf8(byte[] bytes, String otherwise) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return otherwise;
        }
    }
}
