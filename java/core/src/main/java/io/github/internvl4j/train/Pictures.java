package io.github.internvl4j.train;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.Tiling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Reads the images of samples. */
final class Pictures {
    private final int imageSize;
    private final FeatureCache features;

    /**
     * @param imageSize of a tile
     * @param features of images that need not be decoded again
     */
    Pictures(int imageSize, FeatureCache features) {
        this.imageSize = imageSize;
        this.features = features;
    }

    /** @throws BadSampleException if the file is missing or damaged */
    Picture read(Path file, Tiling tiling) throws BadSampleException {
        try {
            byte[] bytes = Files.readAllBytes(file);
            String content = digest(bytes) + tiling;
            FeatureCache.@Nullable Features kept = features.get(content);
            if (kept != null) {
                return new Picture(content, kept.tiles(), tiling, null);
            }
            Image image = Image.read(bytes, file.toString());
            return new Picture(content, tiling.tiles(image.width(), image.height(), imageSize), tiling, image);
        } catch (IOException e) {
            throw new BadSampleException(FileProblems.describe(file, "read", e), e);
        } catch (ImageException e) {
            throw new BadSampleException(String.valueOf(e.getMessage()), e);
        }
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
