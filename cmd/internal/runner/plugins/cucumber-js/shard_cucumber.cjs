// Tells a shard worker what cucumber-js does; see docs/runner-protocol.md. A formatter, for cucumber-js 10 and later.
"use strict";
const shard = require("../node/shard.cjs");

const running = shard.listens && shard.mode === "run";
const listing = shard.listens && shard.mode === "list";

/** Whether shard_select.cjs is at work. Without it, one file that cannot be parsed keeps all others from being listed. */
const selects = process.argv.some((argument) => argument.endsWith("/shard_select.cjs"));

/** Units of the batch that have not ended. */
const open = new Set(running ? shard.units() : []);

// From good to bad: a scenario is as its worst step.
const SEVERITY = ["UNKNOWN", "PASSED", "SKIPPED", "PENDING", "UNDEFINED", "AMBIGUOUS", "FAILED"];

// What Cucumber told of, by id.
const lines = new Map(); // of scenarios, rows and steps
const titles = new Map(); // of features, by their file
const pickles = new Map(); // scenarios and rows, to be run
const testCases = new Map(); // pickles with their hooks
const hooks = new Map();
const snippets = new Map(); // for undefined steps
const attempts = new Map(); // test cases that run

const bad = new Set(); // files of the batch that cannot be parsed
const pending = []; // whether they fail is known in the end

/** file:line of the scenario, or of its row of examples. */
function unit({ uri, astNodeIds }) {
  return `${slashed(uri)}:${lines.get(astNodeIds.at(-1))}`;
}

function slashed(uri) {
  return uri.replaceAll("\\", "/");
}

/** Handlers of Cucumber's messages; https://github.com/cucumber/messages describes them. */
const handlers = {
  gherkinDocument({ uri, feature }) {
    const visit = (node) => {
      if (node.id) lines.set(node.id, node.location.line);
      for (const each of ["children", "steps", "examples", "tableBody"]) node[each]?.forEach(visit);
      for (const each of ["background", "scenario", "rule"]) if (node[each]) visit(node[each]);
    };
    if (!feature) return;
    titles.set(uri, feature.name);
    visit(feature);
  },

  parseError({ source, message }) {
    const file = slashed(source.uri);
    if (listing && selects) shard.send({ type: "test", id: file });
    else if (listing) shard.problem("cucumber-js", `${file} cannot be parsed: ${message}`);
    const told = { status: "failed", message: `cannot be parsed: ${message}`, file, line: source.location?.line };
    const own = [...open].filter((id) => id === file || id.startsWith(file + ":"));
    for (const id of own) ended(id, { classname: file, name: id, ...told }, message);
    if (own.length > 0 || bad.has(file)) return void bad.add(file); // its other errors
    // A file that the configuration adds: it keeps all others from running.
    for (const id of open) ended(id, { name: id, ...told, message: `${file} ${told.message}` }, message);
  },

  pickle: (pickle) => pickles.set(pickle.id, pickle),
  hook: (hook) => hooks.set(hook.id, hook),
  suggestion: (suggestion) => snippets.set(suggestion.pickleStepId, suggestion.snippets.map(({ code }) => code).join("\n")),
  testCase: (testCase) => testCases.set(testCase.id, testCase),

  testCaseStarted({ id, attempt, testCaseId, timestamp }) {
    const testCase = testCases.get(testCaseId);
    const pickle = pickles.get(testCase.pickleId);
    attempts.set(id, { pickle, testCase, began: seconds(timestamp), worst: { status: "UNKNOWN" }, executed: false, texts: [] });
    if (listing) shard.send({ type: "test", id: unit(pickle) });
    else if (attempt === 0) shard.send({ type: "start", id: unit(pickle) });
  },

  testStepFinished({ testCaseStartedId, testStepId, testStepResult }) {
    const attempt = attempts.get(testCaseStartedId);
    attempt.executed ||= testStepResult.status !== "SKIPPED" || seconds(testStepResult.duration) > 0;
    if (SEVERITY.indexOf(testStepResult.status) > SEVERITY.indexOf(attempt.worst.status)) attempt.worst = { ...testStepResult, testStepId };
  },

  attachment({ testCaseStartedId, mediaType, contentEncoding, body }) {
    if (contentEncoding === "IDENTITY" && mediaType.startsWith("text/")) attempts.get(testCaseStartedId)?.texts.push(body);
  },

  testCaseFinished({ testCaseStartedId, timestamp, willBeRetried }) {
    const attempt = attempts.get(testCaseStartedId);
    attempts.delete(testCaseStartedId);
    if (running && !willBeRetried) judge(attempt, seconds(timestamp) - attempt.began);
  },

  testRunHookFinished({ result }) {
    if (result.status !== "FAILED" || !running) return;
    const text = trace(result);
    if (open.size === 0) shard.problem("cucumber-js", `an AfterAll hook failed: ${shard.firstLine(text)}`, shard.own(text));
    for (const id of open) ended(id, { name: id, status: "failed", message: `a BeforeAll hook failed: ${shard.firstLine(text)}`, ...shard.place(text) }, shard.own(text));
  },

  testRunFinished({ success }) {
    for (const { id, told } of pending) {
      ended(id, success || process.argv.includes("--no-strict") ? { ...told, status: "skipped" } : told);
    }
  },
};

/** Tells what became of a scenario. */
function judge({ pickle, testCase, worst, executed, texts }, duration) {
  const id = unit(pickle);
  const testStep = testCase.testSteps.find((each) => each.id === worst.testStepId);
  const step = pickle.steps.find((each) => each.id === testStep?.pickleStepId);
  const what = step ? step.text : hookName(testStep?.hookId);
  const text = trace(worst);
  const told = { classname: slashed(pickle.uri), name: `${titles.get(pickle.uri)} > ${pickle.name}`, seconds: duration };
  const details = [shard.own(text), snippets.get(step?.id), ...texts.map(shard.plain)].filter(Boolean).join("\n\n");
  const place = { file: slashed(pickle.uri), line: lines.get((step ?? pickle).astNodeIds[0]) };
  switch (worst.status) {
    case "UNKNOWN": // it has no steps
    case "PASSED":
      return ended(id, { ...told, status: "passed" });
    case "SKIPPED": // not by itself if --fail-fast keeps it from running: then it has no end, and runs again, alone
      if (executed) ended(id, { ...told, status: "skipped", message: `skipped by ${what}` });
      return;
    case "PENDING": // fails unless --no-strict
      pending.push({ id, told: { ...told, status: "failed", message: `pending: ${what}`, ...place } });
      return;
    case "UNDEFINED":
    case "AMBIGUOUS":
      return ended(id, { ...told, status: "failed", message: `${worst.status.toLowerCase()}: ${what}`, ...place }, details);
    default:
      return ended(id, { ...told, status: "failed", message: `${what}: ${shard.firstLine(text)}`, ...place }, details);
  }
}

/** Ends a unit with its only case. */
function ended(id, told, details) {
  open.delete(id);
  const { message, file, line } = told;
  shard.finish(id, [told], { message, file, line, details });
}

function hookName(id) {
  const { name, type, sourceReference } = hooks.get(id) ?? {};
  const kind = type === "AFTER_TEST_CASE" ? "After hook" : type === "BEFORE_TEST_CASE" ? "Before hook" : "hook";
  return [kind, name && `"${name}"`, sourceReference && `(${slashed(sourceReference.uri)}:${sourceReference.location?.line})`].filter(Boolean).join(" ");
}

function trace({ message, exception }) {
  return shard.plain(message || exception?.stackTrace);
}

function seconds({ seconds, nanos }) {
  return Number(seconds) + nanos / 1e9;
}

/** A formatter that prints nothing. */
module.exports = class Formatter {
  constructor({ eventBroadcaster }) {
    eventBroadcaster.on("envelope", (envelope) => {
      for (const [kind, message] of Object.entries(envelope)) if (Object.hasOwn(handlers, kind)) handlers[kind](message);
    });
  }

  async finished() {
    process.on("exit", () => shard.send({ type: "end" }));
  }
};
