import { test } from "vitest";

type Milliseconds = {
  count: number;
};

test("passes", async () => {
  const pause: Milliseconds = { count: 10 };
  await new Promise((resolve) => setTimeout(resolve, pause.count));
});
