package io.github.internvl4j.spark;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;

/**
 * What a row asks.
 *
 * @param seed of what the row holds, and of nothing else: a task that is tried again draws the same answers
 */
record Question(Prompt prompt, long seed) {
    /**
     * Reads a row.
     *
     * @param files opens paths
     * @throws PromptException if it asks nothing
     * @throws ImageException if an image cannot be read
     */
    static Question of(Row row, Job job, Configuration files) {
        String text = row.getAs(job.prompt());
        if (text == null) {
            throw new PromptException("the column " + job.prompt() + " is null, expected a question");
        }
        MessageDigest digest = sha256();
        add(digest, text.getBytes(StandardCharsets.UTF_8));
        List<Image> images = new ArrayList<>();
        for (Object image : job.image().isEmpty() ? List.of() : values(row, row.fieldIndex(job.image()))) {
            byte[] encoded = image instanceof byte[] bytes ? bytes : read((String) image, files);
            add(digest, encoded);
            images.add(Image.read(encoded, image instanceof String path ? path : "the column " + job.image()));
        }
        return new Question(
                Prompt.of(text, images), ByteBuffer.wrap(digest.digest()).getLong());
    }

    private static List<?> values(Row row, int column) {
        if (row.isNullAt(column)) {
            return List.of();
        }
        Object value = row.get(column);
        return value instanceof byte[] || value instanceof String ? List.of(value) : row.getList(column);
    }

    private static byte[] read(String path, Configuration files) {
        Path file = new Path(path);
        try (InputStream in = file.getFileSystem(files).open(file)) {
            return in.readAllBytes();
        } catch (IOException | IllegalArgumentException e) {
            throw new ImageException(path + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** With its length, so that no two rows run into the same bytes. */
    private static void add(MessageDigest digest, byte[] bytes) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
        digest.update(bytes);
    }

    /** How it is to be answered. */
    GenerationConfig config(GenerationConfig base) {
        return base.seed(base.seed() ^ seed);
    }
}
