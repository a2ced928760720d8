<?php

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

class ProviderTest extends TestCase
{
    public function testPasses(): void
    {
        $this->assertTrue(true);
    }

    /** @dataProvider broken */
    #[DataProvider('broken')]
    public function testBrokenProvider(int $n): void
    {
    }

    public static function broken(): array
    {
        throw new \RuntimeException('no data');
    }

    /** @dataProvider none */
    #[DataProvider('none')]
    public function testNoData(int $n): void
    {
    }

    public static function none(): array
    {
        return [];
    }
}
