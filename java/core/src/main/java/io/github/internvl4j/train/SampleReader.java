package io.github.internvl4j.train;

import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** From a line to what is learnt from it, or why it cannot be. */
final class SampleReader {
    private final Pictures pictures;
    private final Tiling tiling;
    private final DialogEncoder encoder;
    private final int tokensPerTile;
    private final int imageToken;
    private final int imageEnd;

    /**
     * @param tiling of images where their set says nothing else
     * @param tokensPerTile rows that a tile takes
     */
    SampleReader(Tokenizer tokenizer, DialogEncoder encoder, Pictures pictures, Tiling tiling, int tokensPerTile) {
        this.pictures = pictures;
        this.tiling = tiling;
        this.encoder = encoder;
        this.tokensPerTile = tokensPerTile;
        imageToken = tokenizer.tokenId(ConversationTemplate.IMAGE_CONTEXT).orElseThrow();
        imageEnd = tokenizer.tokenId(ConversationTemplate.IMAGE_END).orElseThrow();
    }

    TrainingSample read(DataSet set, Line line) throws BadSampleException {
        List<Picture> images = new ArrayList<>();
        Tiling cut = tiling(set, line.images().size());
        for (String image : line.images()) {
            images.add(pictures.read(file(set.root(), image), cut));
        }
        List<Integer> rows =
                images.stream().map(image -> image.tiles() * tokensPerTile).toList();
        TokenizedDialog dialog = encoder.encode(line.single() ? withPlace(line.dialog()) : line.dialog(), rows);
        requirePictures(dialog.ids(), rows);
        return new TrainingSample(dialog, images);
    }

    /** The tiles of one image; several share them. */
    private Tiling tiling(DataSet set, int images) {
        int most = set.maxTiles().orElse(tiling.most());
        return tiling.most(Math.max(1, most / Math.max(1, images)));
    }

    private static Path file(Path root, String image) throws BadSampleException {
        if (image.indexOf('\0') >= 0) {
            throw new BadSampleException("image has a NUL character in its path");
        }
        return root.resolve(image);
    }

    /** One image has a place, if need be a line of its own before what is said first. */
    private static List<Message> withPlace(List<Message> dialog) {
        int first = dialog.get(0).author() == Message.Author.SYSTEM && dialog.size() > 1 ? 1 : 0;
        Message message = dialog.get(first);
        if (message.text().contains(ConversationTemplate.IMAGE)) {
            return dialog;
        }
        List<Message> placed = new ArrayList<>(dialog);
        placed.set(first, new Message(message.author(), ConversationTemplate.IMAGE + "\n" + message.text()));
        return placed;
    }

    /** All that an image is must be in the tokens, and nothing that could be taken for one. */
    private void requirePictures(int[] ids, List<Integer> rows) throws BadSampleException {
        long ends = Arrays.stream(ids).filter(id -> id == imageEnd).count();
        if (!rows.isEmpty() && ends != rows.size()) {
            throw new BadSampleException("images are cut off, or have no place: " + ends + " of " + rows.size()
                    + " are in its " + ids.length + " tokens");
        }
        long found = Arrays.stream(ids).filter(id -> id == imageToken).count();
        long expected = rows.stream().mapToLong(Integer::longValue).sum();
        if (found != expected) {
            throw new BadSampleException("has " + found + " tokens " + ConversationTemplate.IMAGE_CONTEXT
                    + ", expected " + expected + ", those of its images alone");
        }
    }
}
