import { nothing } from "./nowhere.mjs";

it("never runs", () => nothing());
