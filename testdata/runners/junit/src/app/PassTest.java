package app;

import org.junit.jupiter.api.*;

class PassTest {
    @Test void passes() {}
}
