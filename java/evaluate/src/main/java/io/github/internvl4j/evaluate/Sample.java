package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.image.Image;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A question of a benchmark.
 *
 * @param id unique within the benchmark
 * @param position of its row in the data set, from 0: some benchmarks are scored by it
 * @param question as it is sent, to the last blank
 * @param pictures in order; most questions have one
 * @param gold the right answer as text; empty if only a server knows it
 * @param row the data set's own fields, for scores and result files
 */
public record Sample(String id, int position, String question, List<Picture> pictures, String gold, ObjectNode row) {
    /** Keeps a copy of the list. */
    public Sample {
        pictures = List.copyOf(pictures);
    }

    /** One with a single picture, or with none. */
    public Sample(String id, int position, String question, @Nullable Picture picture, String gold, ObjectNode row) {
        this(id, position, question, picture == null ? List.of() : List.of(picture), gold, row);
    }

    /** The same with other pictures. */
    Sample withPictures(List<Picture> others) {
        return new Sample(id, position, question, others, gold, row);
    }

    /**
     * Its pictures' pixels.
     *
     * @throws IOException if one is missing or cannot be read
     * @throws io.github.internvl4j.error.ImageException if one is no image
     */
    public List<Image> images() throws IOException {
        List<Image> images = new ArrayList<>();
        for (Picture picture : pictures) {
            images.add(picture.image());
        }
        return images;
    }

    /** A field of the row as text; empty if it is missing or null. */
    public String field(String name) {
        return row.path(name).asText("");
    }
}
