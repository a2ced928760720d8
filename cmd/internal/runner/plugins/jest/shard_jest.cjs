// Tells a shard worker what Jest does; see docs/runner-protocol.md. For Jest 29 and later; needs nothing but Jest.
// Jest loads this file as its --filter, which comes before the global set-up, and as its reporter.
"use strict";
const shard = require("../node/shard.cjs");

const units = new Map(); // of the batch: what is known of each, by its id
let enter = () => {};

if (shard.listens) {
  for (const id of shard.units()) units.set(id, { left: 0, cases: [], output: "", seconds: 0 });
  enter = shard.surround("jest", (message, details) => {
    for (const [id, { left }] of units) if (left > 0) shard.send({ type: "finish", id, status: "failed", message, details });
  });
}

/** Called for each project of a configuration: counts how often each file is to run. Lets all pass. */
function filter(paths) {
  for (const unit of paths.map((path) => units.get(shard.id(path)))) if (unit) unit.left++;
  return { filtered: [...paths, ...paths.map((test) => ({ test }))] }; // what Jest 30 and later take, and what earlier ones do
}

class Reporter {
  onRunStart() {
    enter("running");
  }

  onTestFileStart({ path }) {
    const id = shard.id(path);
    shard.send({ type: "start", id });
    shard.elsewhere(units, id);
  }

  onTestCaseStart({ path }, { ancestorTitles, title }) {
    const id = shard.id(path);
    shard.send({ type: "at", id, case: [...ancestorTitles, title].join(" > ") });
    shard.elsewhere(units, id);
  }

  onTestFileResult({ path, context }, result) {
    const id = shard.id(path);
    const unit = units.get(id);
    if (!unit) return;
    const project = context.config.displayName?.name;
    const classname = project ? `${id} [${project}]` : id;
    unit.cases.push(...result.testResults.map((test) => caseOf(id, classname, test)));
    if (result.testExecError) unit.cases.push(fileCase(id, classname, result));
    unit.output += (result.console ?? []).map(({ message }) => message + "\n").join("");
    unit.seconds += Math.max(0, result.perfStats.end - result.perfStats.start) / 1000;
    if (--unit.left <= 0) shard.finish(id, unit.cases, { seconds: unit.seconds, output: shard.plain(unit.output) || undefined });
  }

  onRunComplete(contexts, { runExecError, snapshot }) {
    enter("over");
    if (runExecError) shard.problem("jest", runExecError.message, runExecError.stack);
    else if (snapshot.failure && snapshot.unmatched === 0) {
      shard.problem("jest", `obsolete snapshots: ${snapshot.unchecked}, files of such: ${snapshot.filesRemoved}; jest --ci fails with them, jest -u removes them`);
    }
  }
}

function caseOf(id, classname, { ancestorTitles, title, status, duration, failureMessages }) {
  const told = { classname, name: [...ancestorTitles, title].join(" > "), seconds: (duration ?? 0) / 1000 };
  if (status === "passed") return { ...told, status };
  if (status !== "failed") return { ...told, status: "skipped", message: status === "todo" ? "todo" : "skipped" };
  const text = failureMessages.map(shard.own).join("\n");
  return { ...told, status, message: shard.firstLine(text), details: text, ...shard.place(text, id) };
}

/** What is wrong with a file as a whole: it cannot be loaded, has no tests, or fails in afterAll. */
function fileCase(id, classname, { testExecError, failureMessage }) {
  const text = `${testExecError.message ?? ""}\n${testExecError.stack ?? ""}`;
  const details = shard.plain(failureMessage).trim();
  const message = shard.firstLine(text) || shard.firstLine(details.replace(/^.*● .*$/m, ""));
  const syntax = /\((\d+):\d+\)$/.exec(message); // as Babel says where
  const place = syntax ? { file: id, line: Number(syntax[1]) } : shard.place(text, id);
  return { classname, name: id, status: "failed", message, details, ...place };
}

module.exports = Object.assign(filter, { __esModule: true, default: Reporter }); // for require, and for import
