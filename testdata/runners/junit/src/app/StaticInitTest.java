package app;

import org.junit.jupiter.api.*;

class StaticInitTest {
    static int x = 1 / Integer.parseInt("0");

    @Test void one() {}
}
