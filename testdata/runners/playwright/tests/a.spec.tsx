import { test } from "@playwright/test";

test("passes", () => { throw "not an error"; });
