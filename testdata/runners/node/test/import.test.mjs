import { nothing } from "./nowhere.mjs";

nothing();
