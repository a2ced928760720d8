import { test } from "@playwright/test";
import missing from "./no-such-module";

test("never runs", () => missing());
