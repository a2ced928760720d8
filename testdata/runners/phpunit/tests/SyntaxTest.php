<?php

class SyntaxTest extends PHPUnit\Framework\TestCase
{
    public function testIsNeverSeen(): void
    {
