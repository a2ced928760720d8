package app;

import org.junit.jupiter.api.*;

class HangTest {
    @Test void hangs() throws Exception { Thread.sleep(600000); }
}
