package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OneCharacterTokensTest {
    @Test
    void everyTokenIsALetterOfItsOwn() {
        List<String> pieces = OneCharacterTokens.pieces(64_000);
        assertEquals(64_000, new HashSet<>(pieces).size());
        for (String piece : pieces.subList(OneCharacterTokens.FIRST, pieces.size())) {
            assertEquals(1, piece.codePointCount(0, piece.length()));
            assertTrue(Character.isLetter(piece.codePointAt(0)), piece);
        }
    }
}
