package app;

import org.junit.jupiter.api.*;

@Disabled("the class is off")
class OffTest {
    @Test void one() {}
}
