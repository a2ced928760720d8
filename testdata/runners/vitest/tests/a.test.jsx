import { test } from "vitest";

test("passes", () => { throw "not an error"; });
