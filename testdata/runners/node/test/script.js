// No test of node:test: it passes as it ends without an error.
require("node:assert").ok(true);
