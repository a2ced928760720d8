package app;

import org.junit.jupiter.api.*;

class BeforeAllTest {
    @BeforeAll static void up() { throw new IllegalStateException("no database"); }

    @Test void one() {}
}
