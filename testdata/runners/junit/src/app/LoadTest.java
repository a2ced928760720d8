package app;

import org.junit.jupiter.api.Test;

class LoadTest extends Gone {
    @Test
    void isNeverSeen() {}
}
