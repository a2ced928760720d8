<?php

namespace App\Other;

use PHPUnit\Framework\TestCase;

class BasicTest extends TestCase
{
    public function testPasses(): void
    {
        $this->assertTrue(true);
    }
}
