import { test } from "vitest";
import missing from "./no-such-module";

test("never runs", () => missing());
