package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.CheckpointFile;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The vocabulary of a checkpoint: what a SentencePiece {@code tokenizer.model} (protobuf {@code ModelProto} of
 * {@code sentencepiece_model.proto}) holds of a byte pair encoding. Immutable.
 *
 * <p>As in sentencepiece, pieces live in two name spaces: ordinary ones (normal, user-defined, unused) that text may
 * become, and reserved ones (control, unknown, byte) that it never does by merging. {@link #pieceId} looks in the
 * reserved ones first.
 */
final class SentencePieceModel implements Vocabulary {
    /** U+2581, which stands for a space inside pieces. */
    static final String SPACE = "\u2581";

    private static final long MAX_FILE_BYTES = 32L << 20;

    /** What a piece is for; the numbers of {@code ModelProto.SentencePiece.Type} are 1 to 6 in another order. */
    public enum PieceType {
        /** An ordinary piece. */
        NORMAL,
        /** The one piece for what the vocabulary lacks. */
        UNKNOWN,
        /** A mark such as {@code <s>} that no text becomes and that decodes to nothing. */
        CONTROL,
        /** A string that is always kept whole. */
        USER_DEFINED,
        /** A piece that merging may pass through but that is split again before it is given out. */
        UNUSED,
        /** One of the 256 pieces {@code <0x00>} to {@code <0xFF>}. */
        BYTE
    }

    /**
     * One entry of the vocabulary; its id is its place in the list.
     *
     * @param text the piece, with U+2581 for a space
     * @param score the higher, the earlier it is merged
     * @param type what it is for
     */
    public record Piece(String text, float score, PieceType type) {}

    /**
     * What happens to a text before it is cut into pieces.
     *
     * @param name the name of the rule, "identity" for the models this library reads
     * @param addDummyPrefix whether a space is put in front of every text
     * @param removeExtraWhitespaces whether spaces at the ends go and runs of them become one
     * @param escapeWhitespaces whether a space becomes U+2581
     * @param whitespaceAsSuffix whether the dummy space goes behind the text instead
     */
    public record Normalization(
            String name,
            boolean addDummyPrefix,
            boolean removeExtraWhitespaces,
            boolean escapeWhitespaces,
            boolean whitespaceAsSuffix) {}

    private final List<Piece> pieces;
    private final Map<String, Integer> ordinary;
    private final Map<String, Integer> reserved;
    private final int unknownId;
    private final boolean byteFallback;
    private final String unknownSurface;
    private final Normalization normalization;

    SentencePieceModel(
            List<Piece> pieces,
            Map<String, Integer> ordinary,
            Map<String, Integer> reserved,
            int unknownId,
            boolean byteFallback,
            String unknownSurface,
            Normalization normalization) {
        this.pieces = List.copyOf(pieces);
        this.ordinary = ordinary;
        this.reserved = reserved;
        this.unknownId = unknownId;
        this.byteFallback = byteFallback;
        this.unknownSurface = unknownSurface;
        this.normalization = normalization;
    }

    /**
     * Reads a {@code tokenizer.model}.
     *
     * @param file the file
     * @return the vocabulary
     * @throws CheckpointException if the file is missing, unreadable or malformed
     * @throws io.github.internvl4j.error.UnsupportedModelException if it is no byte pair encoding, or rewrites
     *     characters before encoding
     */
    public static SentencePieceModel read(Path file) {
        byte[] bytes;
        try {
            if (!Files.isRegularFile(file)) {
                throw new NoSuchFileException(file.toString());
            }
            long size = Files.size(file);
            if (size > MAX_FILE_BYTES) {
                throw new CheckpointException(
                        file + ": " + size + " bytes; a SentencePiece model has at most " + MAX_FILE_BYTES);
            }
            bytes = CheckpointFile.read(file);
        } catch (NoSuchFileException e) {
            throw new CheckpointException(
                    file + ": no such file; expected the SentencePiece model of the" + " checkpoint", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + FileProblems.reason(e), e);
        }
        return SentencePieceReader.read(bytes, file.toString());
    }

    /** The same vocabulary for texts that get no space in front. */
    SentencePieceModel withoutDummyPrefix() {
        Normalization rules = normalization;
        return new SentencePieceModel(
                pieces,
                ordinary,
                reserved,
                unknownId,
                byteFallback,
                unknownSurface,
                new Normalization(
                        rules.name(),
                        false,
                        rules.removeExtraWhitespaces(),
                        rules.escapeWhitespaces(),
                        rules.whitespaceAsSuffix()));
    }

    /** @return the number of pieces */
    @Override
    public int size() {
        return pieces.size();
    }

    /**
     * @param id a piece's id, from 0 to {@link #size()} - 1
     * @return the piece
     */
    public Piece piece(int id) {
        return pieces.get(id);
    }

    @Override
    public String text(int id) {
        return piece(id).text();
    }

    @Override
    public byte[] bytes(int id) {
        String text = text(id);
        int value = byteOf(text);
        return value >= 0
                ? new byte[] {(byte) value}
                : text.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public OptionalInt find(String token) {
        return findPiece(token);
    }

    /**
     * The id of a piece, as sentencepiece's {@code PieceToId}.
     *
     * @param text the piece's text, with U+2581 for spaces
     * @return its id, or {@link #unknownId()} if there is no such piece
     */
    public int pieceId(String text) {
        return findPiece(text).orElse(unknownId);
    }

    /**
     * The id of a piece, if there is one.
     *
     * @param text the piece's text, with U+2581 for spaces
     * @return its id; a reserved piece goes before an ordinary one of the same text
     */
    public OptionalInt findPiece(String text) {
        Integer id = reserved.get(text);
        if (id == null) {
            id = ordinary.get(text);
        }
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The id of the ordinary piece of this text, or -1. */
    int ordinaryId(String text) {
        return ordinary.getOrDefault(text, -1);
    }

    /** @return the id of the unknown piece */
    public int unknownId() {
        return unknownId;
    }

    /** @return whether a character that the vocabulary lacks becomes the pieces of its UTF-8 bytes */
    public boolean byteFallback() {
        return byteFallback;
    }

    /** @return what the unknown piece decodes to */
    public String unknownSurface() {
        return unknownSurface;
    }

    /** @return what happens to a text before it is cut into pieces */
    public Normalization normalization() {
        return normalization;
    }

    /** The text of a byte's piece. */
    static String bytePiece(int value) {
        return String.format("<0x%02X>", value);
    }

    /** The byte that a piece of {@link #bytePiece}'s form stands for, or -1. */
    static int byteOf(String piece) {
        if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') {
            return -1;
        }
        int high = "0123456789ABCDEF".indexOf(piece.charAt(3));
        int low = "0123456789ABCDEF".indexOf(piece.charAt(4));
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }
}
