// Lets cucumber-js run the units of a batch alone, whatever paths its configuration adds; and lists in spite of a file that
// cannot be parsed. A plugin, for cucumber-js 12.4 and later.
"use strict";
const shard = require("../node/shard.cjs");

const units = new Set(shard.listens && shard.mode === "run" ? shard.units() : []);

function unit({ pickle, location }) {
  return `${pickle.uri.replaceAll("\\", "/")}:${location.line}`;
}

module.exports = {
  type: "plugin",
  coordinator({ transform }) {
    if (!shard.listens) return;
    // The last transformation: tags and names have chosen by now.
    transform("pickles:order", (pickles) => {
      if (shard.mode === "run") return pickles.filter((each) => units.has(unit(each)));
      for (const each of pickles) shard.send({ type: "test", id: unit(each) });
      return pickles;
    });
  },
};
