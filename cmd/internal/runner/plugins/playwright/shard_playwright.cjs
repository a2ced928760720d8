// Tells a shard worker what Playwright Test does; see docs/runner-protocol.md. A reporter that needs nothing but Playwright.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const shard = require("../node/shard.cjs");

class Unit {
  constructor() {
    this.tests = []; // that this run has
    this.last = new Map(); // the last result of each that ran
    this.began = this.ended = false;
    this.errors = []; // that belong to no test
  }

  /** Whether no test of it is to run any more, as far as one can know: tests in serial mode run again if one of them does. */
  complete() {
    return this.tests.every((test) => this.last.has(test) && (test.outcome() !== "unexpected" || this.last.get(test).retry >= test.retries));
  }
}

module.exports = class Reporter {
  constructor() {
    this.units = new Map();
    if (shard.listens && shard.mode === "run") for (const id of shard.units()) this.units.set(id, new Unit());
    this.needed = new Set(); // projects that others depend on
    this.blame = ""; // what failed in one of these, so that the others do not run
    this.folders = new Set(); // for artifacts, of this process only
    this.broken = false; // the list is not complete
  }

  printsToStdio() {
    return true; // Playwright adds no reporter of its own
  }

  onBegin(config, root) {
    if (shard.mode === "list") {
      for (const id of new Set(root.allTests().map(fileOf))) shard.send({ type: "test", id });
    }
    for (const { dependencies, outputDir } of config.projects) {
      for (const project of dependencies) this.needed.add(project);
      if (path.basename(outputDir).startsWith("shard-")) this.folders.add(outputDir);
    }
    for (const test of root.allTests()) this.units.get(fileOf(test))?.tests.push(test);
  }

  onTestBegin(test) {
    const id = fileOf(test);
    for (const [other, unit] of this.units) if (other !== id && unit.began && !unit.ended && unit.complete()) this.finish(other, unit);
    const unit = this.units.get(id);
    if (!unit) return;
    if (!unit.began) shard.send({ type: "start", id });
    unit.began = true;
    shard.send({ type: "at", id, case: name(test) });
    for (const [other, unit] of this.units) if (other !== id && unit.began && !unit.ended) shard.send({ type: "at", id: other, case: "(waits for its next tests)" });
  }

  onTestEnd(test, result) {
    const id = fileOf(test);
    const unit = this.units.get(id);
    unit?.last.set(test, result);
    if (test.outcome() !== "unexpected" || result.retry < test.retries) return;
    const why = `${id}: ${name(test)}: ${shard.firstLine(said(result.errors[0]))}`;
    if (this.needed.has(projectOf(test))) this.blame ||= why; // the units that need it do not run, and say so
    else if (!unit || unit.ended) shard.problem("playwright", why, details(result));
  }

  onStdOut(chunk) {
    process.stdout.write(chunk);
  }

  onStdErr(chunk) {
    process.stderr.write(chunk);
  }

  /** Files that cannot be loaded, global set-ups and tear-downs, fixtures of a worker. One that cannot be loaded stops all. */
  onError(error) {
    const id = error.location && shard.id(error.location.file);
    if (shard.mode === "list") {
      if (/^Error: No tests found/.test(said(error))) return;
      this.broken = true;
      process.stderr.write(text(error) + "\n");
      if (id) shard.send({ type: "test", id });
      return;
    }
    const began = [...this.units.values()].some((unit) => unit.began);
    const unit = this.units.get(id) ?? (this.units.size === 1 ? [...this.units.values()][0] : undefined);
    if (unit && !unit.began) unit.errors.push(error);
    else if (began) shard.problem("playwright", said(error), text(error));
    else process.stderr.write(text(error) + "\n"); // it is told to each unit that runs alone
  }

  onEnd() {
    for (const [id, unit] of this.units) {
      const blocked = this.blame && unit.tests.length > 0;
      if (!unit.ended && (unit.began || blocked || unit.errors.length > 0)) this.finish(id, unit);
    }
  }

  onExit() {
    for (const folder of this.folders) tidy(folder);
    if (!this.broken) shard.send({ type: "end" });
  }

  finish(id, unit) {
    unit.ended = true;
    const cases = unit.tests.map((test) => caseOf(id, test, unit.last.get(test), this.blame));
    for (const error of unit.errors) {
      cases.push({ classname: id, name: id, status: "failed", message: shard.firstLine(said(error)), details: text(error), ...place(error) });
    }
    const seconds = [...unit.last.values()].reduce((sum, { duration }) => sum + duration / 1000, 0);
    shard.finish(id, cases, { seconds });
  }
};

/** Removes a folder if it is empty. */
function tidy(folder) {
  try {
    fs.rmdirSync(folder);
  } catch {
    // it is not, or was never there
  }
}

/** The unit of a test: the file that was loaded, even if a helper defines the test. */
function fileOf(test) {
  let suite = test.parent;
  while (suite.type !== "file") suite = suite.parent;
  return shard.id(suite.location.file);
}

function projectOf(test) {
  return test.titlePath()[1];
}

/** A test's name in its file. */
function name(test) {
  return test.titlePath().slice(3).join(" > ");
}

function caseOf(id, test, result, blame) {
  const project = projectOf(test);
  const told = { classname: project ? `${id} [${project}]` : id, name: name(test), seconds: (result?.duration ?? 0) / 1000 };
  if (!result) return { ...told, status: "failed", message: blame ? `it did not run, because of ${blame}` : "it did not run" };
  switch (test.outcome()) {
    case "skipped": {
      const why = test.annotations.find(({ type }) => type === "skip" || type === "fixme");
      return { ...told, status: "skipped", message: why?.description ?? why?.type ?? "it did not run, because of a failure before it" };
    }
    case "unexpected": {
      const error = result.errors[0] ?? { message: `${result.status}, although it should be ${test.expectedStatus}`, location: test.location };
      return { ...told, status: "failed", message: shard.firstLine(said(error)), details: details(result), ...place(error, test.location) };
    }
  }
  return { ...told, status: "passed" }; // as expected, or at last
}

function details(result) {
  return result.errors.map(text).join("\n\n");
}

/** The message of an error, or what was thrown instead of one. */
function said(error) {
  return error?.message ?? error?.value ?? "";
}

function text(error) {
  return shard.plain([shard.own(error.stack ?? said(error)), error.snippet].filter(Boolean).join("\n\n"));
}

function place(error, otherwise) {
  const at = error.location ?? otherwise;
  return at ? { file: shard.id(at.file), line: at.line } : {};
}
