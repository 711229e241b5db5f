package io.github.internvl4j.text;

import com.google.protobuf.CodedInputStream;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.text.SentencePieceModel.Normalization;
import io.github.internvl4j.text.SentencePieceModel.Piece;
import io.github.internvl4j.text.SentencePieceModel.PieceType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses the protobuf of a SentencePiece model. Field numbers and defaults are those of {@code
 * sentencepiece_model.proto}; the checks are those of {@code ModelInterface::InitializePieces}. Fields this library has
 * no use for are skipped, as protobuf does.
 */
final class SentencePieceReader {
    /** No real piece comes near; a bound keeps the work on a hostile file small. */
    private static final int MAX_PIECE_LENGTH = 1024;

    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FLOAT = 5;

    private static final int MODEL_PIECE = 1 << 3 | BYTES;
    private static final int MODEL_TRAINER = 2 << 3 | BYTES;
    private static final int MODEL_NORMALIZER = 3 << 3 | BYTES;
    private static final int MODEL_DENORMALIZER = 5 << 3 | BYTES;

    private static final int PIECE_TEXT = 1 << 3 | BYTES;
    private static final int PIECE_SCORE = 2 << 3 | FLOAT;
    private static final int PIECE_TYPE = 3 << 3 | VARINT;

    private static final int TRAINER_MODEL_TYPE = 3 << 3 | VARINT;
    private static final int TRAINER_WHITESPACE_AS_SUFFIX = 24 << 3 | VARINT;
    private static final int TRAINER_BYTE_FALLBACK = 35 << 3 | VARINT;
    private static final int TRAINER_UNKNOWN_SURFACE = 44 << 3 | BYTES;

    private static final int NORMALIZER_NAME = 1 << 3 | BYTES;
    private static final int NORMALIZER_CHARSMAP = 2 << 3 | BYTES;
    private static final int NORMALIZER_DUMMY_PREFIX = 3 << 3 | VARINT;
    private static final int NORMALIZER_EXTRA_WHITESPACES = 4 << 3 | VARINT;
    private static final int NORMALIZER_ESCAPE_WHITESPACES = 5 << 3 | VARINT;

    private static final int TYPE_BPE = 2;
    private static final String[] MODEL_TYPES = {"0", "unigram", "bpe", "word", "char"};

    private final String file;
    private final List<Piece> pieces = new ArrayList<>();

    private boolean trainerSeen;
    private int modelType = 1;
    private boolean whitespaceAsSuffix;
    private boolean byteFallback;
    private String unknownSurface = " \u2047 ";

    private boolean normalizerSeen;
    private String normalizerName = "";
    private int charsmapBytes;
    private int denormalizerBytes;
    private boolean addDummyPrefix = true;
    private boolean removeExtraWhitespaces = true;
    private boolean escapeWhitespaces = true;

    private SentencePieceReader(String file) {
        this.file = file;
    }

    static SentencePieceModel read(byte[] bytes, String file) {
        SentencePieceReader reader = new SentencePieceReader(file);
        try {
            reader.parse(CodedInputStream.newInstance(bytes));
        } catch (IOException e) {
            throw new CheckpointException(
                    file + ": not a SentencePiece model (protobuf ModelProto): " + e.getMessage(), e);
        }
        return reader.build();
    }

    private void parse(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case MODEL_PIECE -> message(in, this::piece);
                case MODEL_TRAINER -> message(in, this::trainer);
                case MODEL_NORMALIZER -> message(in, this::normalizer);
                case MODEL_DENORMALIZER -> message(in, this::denormalizer);
                default -> in.skipField(tag);
            }
        }
    }

    private interface MessageParser {
        void parse(CodedInputStream in) throws IOException;
    }

    private static void message(CodedInputStream in, MessageParser parser) throws IOException {
        int outer = in.pushLimit(in.readRawVarint32());
        parser.parse(in);
        in.checkLastTagWas(0);
        in.popLimit(outer);
    }

    private void piece(CodedInputStream in) throws IOException {
        String text = "";
        float score = 0;
        int type = 1;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case PIECE_TEXT -> text = text(in);
                case PIECE_SCORE -> score = in.readFloat();
                case PIECE_TYPE -> type = in.readEnum();
                default -> in.skipField(tag);
            }
        }
        pieces.add(new Piece(text, score, type(type)));
    }

    /** Not protobuf's own way: its UTF-8 decoder needs sun.misc.Unsafe, of which JDK 24 and later warn. */
    private static String text(CodedInputStream in) throws IOException {
        return StandardCharsets.UTF_8
                .newDecoder() // reports what is malformed
                .decode(ByteBuffer.wrap(in.readByteArray()))
                .toString();
    }

    private PieceType type(int number) {
        return switch (number) {
            case 1 -> PieceType.NORMAL;
            case 2 -> PieceType.UNKNOWN;
            case 3 -> PieceType.CONTROL;
            case 4 -> PieceType.USER_DEFINED;
            case 5 -> PieceType.UNUSED;
            case 6 -> PieceType.BYTE;
            default -> throw malformed("pieces[" + pieces.size() + "].type is " + number + "; expected 1 to 6");
        };
    }

    private void trainer(CodedInputStream in) throws IOException {
        trainerSeen = true;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case TRAINER_MODEL_TYPE -> modelType = in.readEnum();
                case TRAINER_WHITESPACE_AS_SUFFIX -> whitespaceAsSuffix = in.readBool();
                case TRAINER_BYTE_FALLBACK -> byteFallback = in.readBool();
                case TRAINER_UNKNOWN_SURFACE -> unknownSurface = text(in);
                default -> in.skipField(tag);
            }
        }
    }

    private void normalizer(CodedInputStream in) throws IOException {
        normalizerSeen = true;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case NORMALIZER_NAME -> normalizerName = text(in);
                case NORMALIZER_CHARSMAP -> charsmapBytes = in.readBytes().size();
                case NORMALIZER_DUMMY_PREFIX -> addDummyPrefix = in.readBool();
                case NORMALIZER_EXTRA_WHITESPACES -> removeExtraWhitespaces = in.readBool();
                case NORMALIZER_ESCAPE_WHITESPACES -> escapeWhitespaces = in.readBool();
                default -> in.skipField(tag);
            }
        }
    }

    private void denormalizer(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == NORMALIZER_CHARSMAP) {
                denormalizerBytes = in.readBytes().size();
            } else {
                in.skipField(tag);
            }
        }
    }

    private SentencePieceModel build() {
        if (pieces.isEmpty()) {
            throw malformed("no pieces; expected a SentencePiece model");
        }
        if (!trainerSeen || !normalizerSeen) {
            throw malformed("no " + (trainerSeen ? "normalizer_spec" : "trainer_spec") + "; the file is cut short");
        }
        if (modelType != TYPE_BPE) {
            String name = modelType > 0 && modelType < MODEL_TYPES.length ? MODEL_TYPES[modelType] : "" + modelType;
            throw new UnsupportedModelException(
                    file + ": trainer_spec.model_type is " + name + "; only bpe is implemented");
        }
        if (charsmapBytes > 0 || denormalizerBytes > 0) {
            throw new UnsupportedModelException(file + ": "
                    + (charsmapBytes > 0 ? "normalizer_spec" : "denormalizer_spec") + " \"" + normalizerName
                    + "\" rewrites characters (precompiled_charsmap of "
                    + Math.max(charsmapBytes, denormalizerBytes) + " bytes); only \"identity\" is implemented");
        }
        Map<String, Integer> ordinary = new HashMap<>();
        Map<String, Integer> reserved = new HashMap<>();
        int unknown = -1;
        int bytes = 0;
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            check(id, piece);
            boolean isOrdinary =
                    switch (piece.type()) {
                        case NORMAL, USER_DEFINED, UNUSED -> true;
                        case UNKNOWN, CONTROL, BYTE -> false;
                    };
            Integer other = (isOrdinary ? ordinary : reserved).putIfAbsent(piece.text(), id);
            if (other != null) {
                throw malformed("pieces[" + id + "] \"" + piece.text() + "\" is also pieces[" + other + "]");
            }
            if (piece.type() == PieceType.UNKNOWN) {
                if (unknown >= 0) {
                    throw malformed("pieces[" + id + "] is a second unknown piece beside pieces[" + unknown + "]");
                }
                unknown = id;
            } else if (piece.type() == PieceType.BYTE) {
                bytes++;
            }
        }
        if (unknown < 0) {
            throw malformed("no piece of type UNKNOWN; expected one");
        }
        if (byteFallback && bytes != 256) {
            throw malformed(bytes + " byte pieces; trainer_spec.byte_fallback needs 256");
        }
        return new SentencePieceModel(
                pieces,
                ordinary,
                reserved,
                unknown,
                byteFallback,
                unknownSurface,
                new Normalization(
                        normalizerName, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, whitespaceAsSuffix));
    }

    private void check(int id, Piece piece) {
        String where = "pieces[" + id + "]";
        if (piece.text().isEmpty()) {
            throw malformed(where + " has no text");
        }
        if (piece.text().length() > MAX_PIECE_LENGTH) {
            throw malformed(
                    where + " is " + piece.text().length() + " characters long; expected at most " + MAX_PIECE_LENGTH);
        }
        if (Float.isNaN(piece.score())) {
            throw malformed(where + ".score is NaN");
        }
        if (piece.type() == PieceType.BYTE) {
            if (!byteFallback) {
                throw malformed(where + " is a byte piece, but trainer_spec.byte_fallback is false");
            }
            if (SentencePieceModel.byteOf(piece.text()) < 0) {
                throw malformed(where + " \"" + piece.text() + "\" is no byte piece; expected <0x00> to <0xFF>");
            }
        }
    }

    private CheckpointException malformed(String what) {
        return new CheckpointException(file + ": " + what);
    }
}
