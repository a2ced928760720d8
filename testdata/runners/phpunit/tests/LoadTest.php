<?php

class LoadTest extends Missing
{
    public function testIsNeverSeen(): void
    {
    }
}
