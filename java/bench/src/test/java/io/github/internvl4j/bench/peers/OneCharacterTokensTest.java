package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OneCharacterTokensTest {
    @Test
    void everyTokenIsACharacterOfItsOwn() {
        List<String> pieces = OneCharacterTokens.pieces(152_000);
        assertEquals(152_000, new HashSet<>(pieces).size());
        for (String piece : pieces.subList(OneCharacterTokens.FIRST, pieces.size())) {
            assertEquals(1, piece.codePointCount(0, piece.length()));
            int character = piece.codePointAt(0);
            assertTrue(Character.isLetter(character) || Character.getType(character) == Character.PRIVATE_USE, piece);
        }
    }
}
