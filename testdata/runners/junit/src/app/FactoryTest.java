package app;

import org.junit.jupiter.api.*;

class FactoryTest {
    @TestFactory java.util.List<DynamicTest> numbers() { return java.util.List.of(DynamicTest.dynamicTest("one", () -> {}), DynamicTest.dynamicTest("two # 2", () -> Assertions.fail("boom"))); }
}
