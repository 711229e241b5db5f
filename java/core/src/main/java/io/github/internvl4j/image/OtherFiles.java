package io.github.internvl4j.image;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** Names what is given for an image and cannot be read as one, by its first bytes, and says what would help. */
final class OtherFiles {
    private static final String CONVERT = "; convert it to PNG or JPEG first";
    private static final String READ = "JPEG, PNG, GIF, BMP, WebP";

    /** What a file begins with, as ISO 8859-1 text, where, and what it then is, behind "is". */
    private record Beginning(int at, String bytes, String what) {}

    private static final List<Beginning> BEGINNINGS = List.of(
            image(0, "II*\0", "TIFF, or a camera's raw format made of it"),
            image(0, "MM\0*", "TIFF, or a camera's raw format made of it"),
            image(0, "II+\0", "TIFF (BigTIFF)"),
            image(0, "MM\0+", "TIFF (BigTIFF)"),
            image(0, "\0\0\0\fjP  ", "JPEG 2000"),
            image(0, "\u00ff\u004f\u00ff\u0051", "JPEG 2000"),
            image(0, "\0\0\0\fJXL ", "JPEG XL"),
            image(0, "\u00ff\n", "JPEG XL"),
            image(0, "II\u00bc", "JPEG XR"),
            image(0, "\0\0\1\0", "ICO"),
            image(0, "\0\0\2\0", "CUR"),
            image(0, "8BPS", "PSD"),
            image(0, "gimp xcf", "XCF"),
            image(0, "qoif", "QOI"),
            image(0, "\u0076\u002f\u0031\1", "OpenEXR"),
            image(0, "#?RADIANCE", "Radiance HDR"),
            image(0, "DDS ", "DDS"),
            image(0, "\u008aMNG", "MNG"),
            image(0, "\u008bJNG", "JNG"),
            new Beginning(0, "%PDF", "a PDF document, not an image; render its pages to PNG first"),
            new Beginning(0, "%!PS", "a PostScript document, not an image; render it to PNG first"),
            new Beginning(0, "\u001f\u008b", "compressed with gzip, not an image; unpack it first"),
            new Beginning(0, "BZh", "compressed with bzip2, not an image; unpack it first"),
            new Beginning(0, "\u00fd7zXZ", "compressed with xz, not an image; unpack it first"),
            new Beginning(0, "\u0028\u00b5\u002f\u00fd", "compressed with Zstandard, not an image; unpack it first"),
            new Beginning(0, "PK\3\4", "a ZIP archive, or a document made of one, not an image; unpack it first"),
            new Beginning(0, "7z\u00bc\u00af", "a 7z archive, not an image; unpack it first"),
            new Beginning(0, "Rar!", "a RAR archive, not an image; unpack it first"),
            new Beginning(257, "ustar", "a tar archive, not an image; unpack it first"),
            new Beginning(
                    0, "\u001aE\u00df\u00a3", "a video (Matroska or WebM), not an image; VideoFrames reads videos"),
            new Beginning(8, "AVI ", "a video (AVI), not an image; VideoFrames reads videos"),
            new Beginning(8, "WAVE", "a sound (WAV), not an image"),
            new Beginning(
                    0,
                    "version https://git-lfs.github.com/spec/",
                    "a Git LFS pointer, not the image itself; \"git lfs pull\" fetches it"),
            new Beginning(0, "data:", "a data URI in a text file, not an image; decode it first"),
            // What is left of the first bytes of PNG and JPEG when they were read as text and written again.
            new Beginning(0, "\u00ef\u00bf\u00bdPNG", "a PNG that was damaged by being read as text; copy it as bytes"),
            new Beginning(
                    0,
                    "\u00ef\u00bf\u00bd\u00ef\u00bf\u00bd\u00ef\u00bf\u00bd",
                    "damaged by being read as text; copy it as bytes"),
            new Beginning(0, "\u0089PNG", "a PNG that was damaged by having its line ends changed; copy it as bytes"));

    private OtherFiles() {}

    private static Beginning image(int at, String bytes, String format) {
        return new Beginning(
                at,
                bytes,
                "an image in the format " + format + ", which is not read (only " + READ + " are)" + CONVERT);
    }

    /** What the file is, to follow its name and "is". */
    static String describe(ByteSource source) {
        String begin = new String(source.array(), 0, Math.min(source.length(), 512), StandardCharsets.ISO_8859_1);
        for (Beginning known : BEGINNINGS) {
            if (begin.startsWith(known.bytes, known.at)) {
                return known.what;
            }
        }
        if (begin.startsWith("ftyp", 4)) {
            return media(begin.substring(8));
        }
        if (begin.matches("(?s)P[1-7]\\s.*")) {
            return image(0, "", "PPM (Netpbm)").what;
        }
        return begin.chars().allMatch(c -> c == 0) ? "filled with zeros, not an image" : text(begin);
    }

    /** ISO base media: the brands tell images from videos. */
    private static String media(String brands) {
        String major = brands.length() < 4 ? brands : brands.substring(0, 4);
        String format =
                switch (major) {
                    case "avif", "avis" -> "AVIF";
                    case "heic", "heix", "heim", "heis", "hevc", "hevx" -> "HEIC";
                    case "mif1", "msf1" -> brands.contains("avif") ? "AVIF" : "HEIC or HEIF";
                    case "crx " -> "CR3 (Canon's raw format)";
                    case "jp2 ", "jpx ", "jpm " -> "JPEG 2000";
                    default -> null;
                };
        return format == null
                ? "a video (MP4 or QuickTime), not an image; VideoFrames reads videos"
                : image(0, "", format).what;
    }

    private static String text(String begin) {
        String start = begin.startsWith("\u00ef\u00bb\u00bf") ? begin.substring(3) : begin;
        String lower = start.stripLeading().toLowerCase(Locale.ROOT);
        if (lower.startsWith("<!doctype html")
                || lower.startsWith("<html")
                || lower.startsWith("<head")
                || lower.startsWith("<script")) {
            return "an HTML page, not an image; what was downloaded may be a message of the server";
        }
        if (lower.startsWith("<svg") || lower.startsWith("<?xml") && lower.contains("<svg")) {
            return "an SVG drawing, which is not read (only " + READ + " are); render it to PNG first";
        }
        if (lower.startsWith("<?xml") || lower.startsWith("<")) {
            return "an XML or HTML text, not an image; what was downloaded may be a message of the server";
        }
        if (lower.startsWith("{")) {
            return "a JSON text, not an image; what was downloaded may be a message of the server";
        }
        if (lower.startsWith("ivborw0kggo") || lower.startsWith("/9j/")) {
            return "an image in base64; decode it first";
        }
        return "not an image in a supported format (" + READ + ")";
    }
}
