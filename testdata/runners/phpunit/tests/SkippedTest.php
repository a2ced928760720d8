<?php

use PHPUnit\Framework\TestCase;

class SkippedTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        self::markTestSkipped('no database here');
    }

    public function testOne(): void
    {
        $this->assertTrue(true);
    }

    public function testTwo(): void
    {
        $this->assertTrue(true);
    }
}
