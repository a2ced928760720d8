package app;

import org.junit.jupiter.api.*;

class KillTest {
    @Test void kills() throws Exception { new ProcessBuilder("kill", "-KILL", "" + ProcessHandle.current().pid()).start().waitFor(); Thread.sleep(60000); }
}
