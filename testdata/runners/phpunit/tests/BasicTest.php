<?php

namespace App;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Depends;
use PHPUnit\Framework\Attributes\Test;
use PHPUnit\Framework\TestCase;

class BasicTest extends TestCase
{
    public function testPasses(): void
    {
        $this->assertTrue(true);
    }

    public function testPassesToo(): void
    {
        $this->assertTrue(true);
    }

    public function testFails(): void
    {
        echo "printed by the test\n";
        $this->assertSame(42, 41, "the answer | is ['wrong']");
    }

    public function testErrors(): void
    {
        throw new \RuntimeException('boom');
    }

    public function testDiffers(): void
    {
        $this->assertEquals(['a' => 1], ['a' => 2]);
    }

    public function testSkipped(): void
    {
        $this->markTestSkipped('not today');
    }

    public function testIncomplete(): void
    {
        $this->markTestIncomplete('to be done');
    }

    public function testRisky(): void
    {
    }

    /** @test */
    #[Test]
    public function prüft_ünicode(): void
    {
        $this->assertTrue(true);
    }

    /** @dataProvider numbers */
    #[DataProvider('numbers')]
    public function testNumbers(int $n): void
    {
        $this->assertLessThan(3, $n);
    }

    public static function numbers(): array
    {
        return [[1], 'two "words" | (a+b) #1 ü' => [2], [5]];
    }

    /** @depends testPasses */
    #[Depends('testPasses')]
    public function testDependsOnPassing(): void
    {
        $this->assertTrue(true);
    }

    /** @depends testFails */
    #[Depends('testFails')]
    public function testDependsOnFailing(): void
    {
        $this->assertTrue(true);
    }
}
