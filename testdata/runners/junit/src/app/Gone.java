package app;

/** The Makefile removes it after the tests are compiled. */
class Gone {}
