// Tells a shard worker what Jest does; see docs/runner-protocol.md. For Jest 29 and later; needs nothing but Jest.
// Jest loads this file as its --filter, which comes before the global set-up, and as its reporter.
"use strict";
const shard = require("../node/shard.cjs");

const units = new Map(); // of the batch: what is known of each, by its id
let enter = () => {};

if (shard.listens) {
  if (shard.mode === "run") expect(shard.units());
  enter = shard.surround("jest", (message, details) => {
    for (const [id, { left }] of units) if (left > 0) shard.send({ type: "finish", id, status: "failed", message, details });
  });
}

/** Sets the units of the batch. */
function expect(ids) {
  units.clear();
  for (const id of ids) units.set(id, { left: 0, cases: [], output: "", seconds: 0 });
}

/** Counts how often each file is to run: once for each project of a configuration that has it. */
function count(paths) {
  for (const unit of paths.map((path) => units.get(shard.id(path)))) if (unit) unit.left++;
}

let persisting;

/** Called for each project of a configuration, before the global set-up. Lets all pass. */
async function filter(paths) {
  if (shard.mode === "persistent") await (persisting ??= persist());
  count(paths);
  return { filtered: [...paths, ...paths.map((test) => ({ test }))] }; // what Jest 30 and later take, and what earlier ones do
}

/**
 * Lets Jest, which is about to run all files that it found, run those of batch after batch: its scheduler, which runs all there
 * are, runs once for each. The global set-up comes with the first, and the tear-down after the last.
 */
async function persist() {
  const batches = shard.batches();
  let { value: ids, done } = await batches.next(); // before the global set-up: if it fails, so do these
  if (!done) expect(ids);
  const { createTestScheduler } = core();
  const { prototype } = (await createTestScheduler({ reporters: [] }, {})).constructor;
  const { scheduleTests } = prototype;

  prototype.scheduleTests = async function (found, watcher) {
    enter("over"); // until the first test file
    let all = { success: true };
    for (; !done; { value: ids, done } = await batches.next()) {
      expect(ids);
      const tests = found.filter(({ path }) => units.has(shard.id(path)));
      if (tests.length === 0) continue;
      count(tests.map(({ path }) => path));
      const scheduler = await createTestScheduler(this._globalConfig, this._context); // each has the reporters once
      const results = await scheduleTests.call(scheduler, tests, watcher);
      all = { ...results, success: results.success && all.success };
    }
    return all.testResults ? all : scheduleTests.call(this, [], watcher);
  };
}

/** The part of Jest that runs tests, as its command line has loaded it by now. */
function core() {
  const file = Object.keys(require.cache).find((each) => /[\\/]@jest[\\/]core[\\/]build[\\/]index\.js$/.test(each));
  if (!file) throw new Error("this is no version of Jest that shards can keep from batch to batch: --persistent=off does without");
  return require.cache[file].exports;
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
