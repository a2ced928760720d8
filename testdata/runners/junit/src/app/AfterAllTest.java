package app;

import org.junit.jupiter.api.*;

class AfterAllTest {
    @AfterAll static void down() { throw new IllegalStateException("cannot remove the database"); }

    @Test void one() {}
}
