<?php

abstract class AbstractTest extends PHPUnit\Framework\TestCase
{
    public function testOfThoseThatExtendIt(): void
    {
        $this->assertTrue(true);
    }
}
