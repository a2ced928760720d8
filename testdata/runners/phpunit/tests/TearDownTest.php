<?php

use PHPUnit\Framework\TestCase;

class TearDownTest extends TestCase
{
    public static function tearDownAfterClass(): void
    {
        throw new RuntimeException('cannot remove the database');
    }

    public function testPasses(): void
    {
        $this->assertTrue(true);
    }
}
