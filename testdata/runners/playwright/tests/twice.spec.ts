import { test } from "@playwright/test";

test("twice", () => {});
test("twice", () => {});
