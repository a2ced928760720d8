<?php

namespace App;

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
    public function prüft_ünicode(): void
    {
        $this->assertTrue(true);
    }

    /** @dataProvider numbers */
    public function testNumbers(int $n): void
    {
        $this->assertLessThan(3, $n);
    }

    public function numbers(): array
    {
        return [[1], 'two "words" | (a+b) #1 ü' => [2], [5]];
    }

    /** @dataProvider broken */
    public function testBrokenProvider(int $n): void
    {
    }

    public function broken(): array
    {
        throw new \RuntimeException('no data');
    }

    /** @dataProvider none */
    public function testNoData(int $n): void
    {
    }

    public function none(): array
    {
        return [];
    }

    /** @depends testPasses */
    public function testDependsOnPassing(): void
    {
        $this->assertTrue(true);
    }

    /** @depends testFails */
    public function testDependsOnFailing(): void
    {
        $this->assertTrue(true);
    }
}
