package app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BasicTest {
    @Test
    void passes() {}

    @Test
    void fails() {
        System.out.println("printed by the test");
        assertEquals(42, 41, "the answer is \"wrong\" ✓");
    }

    @Test
    @Disabled("not today")
    void skipped() {}

    @Test
    @DisplayName("two words (a+b) | ✓ 漢字")
    void named() {}

    @Nested
    class Inner {
        @Test
        void fails() {
            assertTrue(false);
        }
    }
}
