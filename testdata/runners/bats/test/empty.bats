# No test yet.
