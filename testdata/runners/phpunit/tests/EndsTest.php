<?php

use PHPUnit\Framework\TestCase;

class EndsTest extends TestCase
{
    public function testBefore(): void
    {
        $this->assertTrue(true);
    }

    public function testExits(): void
    {
        exit(0);
    }

    public function testKills(): void
    {
        shell_exec('kill -KILL ' . getmypid());
    }

    public function testHangs(): void
    {
        sleep(600);
    }

    public function testRunsOutOfMemory(): void
    {
        ini_set('memory_limit', '32M');
        $this->assertNotEmpty(str_repeat('x', 1 << 30));
    }

    public function testAfter(): void
    {
        $this->assertTrue(true);
    }
}
