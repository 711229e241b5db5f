package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ImageException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are no images for us are called what they are, with what would help. */
class OtherFilesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HEIC | PNG or JPEG | '\\0\\0\\0\\030ftypheic\\0\\0\\0\\0mif1heic'",
                "HEIC | PNG or JPEG | '\\0\\0\\0\\030ftypmif1\\0\\0\\0\\0mif1heic'",
                "AVIF | PNG or JPEG | '\\0\\0\\0\\034ftypavif\\0\\0\\0\\0avifmif1miaf'",
                "AVIF | PNG or JPEG | '\\0\\0\\0\\034ftypmif1\\0\\0\\0\\0mif1avifmiaf'",
                "TIFF | PNG or JPEG | 'II*\\0\\010\\0\\0\\0'",
                "TIFF | PNG or JPEG | 'MM\\0*\\0\\0\\0\\010'",
                "JPEG 2000 | PNG or JPEG | '\\0\\0\\0\\014jP  \\015\\012\\207\\012'",
                "JPEG XL | PNG or JPEG | '\\377\\012\\372'",
                "JPEG XL | PNG or JPEG | '\\0\\0\\0\\014JXL \\015\\012\\207\\012'",
                "PSD | PNG or JPEG | '8BPS\\0\\001'",
                "ICO | PNG or JPEG | '\\0\\0\\001\\0\\001\\0'",
                "PPM | PNG or JPEG | 'P6\\0122 2\\012255\\012'",
                "HTML | server | '<!DOCTYPE html><html>404'",
                "HTML | server | '\\357\\273\\277\\012 <HTML>'",
                "SVG | render | '<svg xmlns=\"x\">'",
                "SVG | render | '<?xml version=\"1.0\"?><!-- --><svg>'",
                "XML | server | '<?xml version=\"1.0\"?><Error><Code>AccessDenied'",
                "JSON | server | '{\"error\": 404}'",
                "PDF | render | '%PDF-1.7'",
                "Git LFS | git lfs pull | 'version https://git-lfs.github.com/spec/v1'",
                "gzip | unpack | '\\037\\213\\010'",
                "ZIP | unpack | 'PK\\003\\004'",
                "video | VideoFrames | '\\0\\0\\0\\040ftypisom\\0\\0\\002\\0isom'",
                "video | VideoFrames | '\\032E\\337\\243'",
                "video | VideoFrames | 'RIFF\\0\\0\\0\\0AVI LIST'",
                "text | as bytes | '\\357\\277\\275PNG\\015\\012'",
                "line ends | as bytes | '\\211PNG\\012\\032\\012'",
                "base64 | decode | '/9j/4AAQSkZJRg'",
                "data URI | decode | 'data:image/png;base64,iVBORw0KGgo'",
                "zeros | not an image | '\\0\\0\\0\\0\\0\\0'",
                "supported format | JPEG, PNG, GIF, BMP, WebP | 'hello'",
            })
    void isNamed(String what, String help, String bytes) {
        byte[] file = bytes.translateEscapes().getBytes(StandardCharsets.ISO_8859_1);
        ImageException refused = assertThrows(ImageException.class, () -> Image.read(file, "it"));
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.startsWith("it is ") && message.contains(what) && message.contains(help), message);
    }
}
