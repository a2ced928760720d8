<?php

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

class PrepareTest extends TestCase
{
    protected function setUp(): void
    {
        $name = $this->toString();
        if (str_contains($name, 'SetUp')) {
            throw new RuntimeException('no user');
        }
        if (str_contains($name, 'AssertsBefore')) {
            $this->fail('no group');
        }
        if (str_contains($name, 'SkipsBefore')) {
            $this->markTestSkipped('no mail');
        }
        if (str_contains($name, 'ExitsBefore')) {
            exit(0);
        }
    }

    protected function tearDown(): void
    {
        if (str_contains($this->toString(), 'TearDown')) {
            throw new RuntimeException('cannot remove the user');
        }
    }

    public function testSetUp(): void
    {
        $this->assertTrue(true);
    }

    public function testSetUpAndTearDown(): void
    {
        $this->assertTrue(true);
    }

    public function testAssertsBefore(): void
    {
        $this->assertTrue(true);
    }

    public function testSkipsBefore(): void
    {
        $this->assertTrue(true);
    }

    public function testExitsBefore(): void
    {
        $this->assertTrue(true);
    }

    public function testTearDown(): void
    {
        $this->assertTrue(true);
    }

    /** @dataProvider users */
    #[DataProvider('users')]
    public function testSetUpOfEach(string $name): void
    {
        $this->assertTrue(true);
    }

    /** @dataProvider users */
    #[DataProvider('users')]
    public function testSkipsBeforeEach(string $name): void
    {
        $this->assertTrue(true);
    }

    public static function users(): array
    {
        return [['a'], 'the second' => ['b']];
    }

    public function testPasses(): void
    {
        $this->assertTrue(true);
    }
}
