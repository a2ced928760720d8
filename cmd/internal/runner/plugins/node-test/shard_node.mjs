// Tells a shard worker what node:test does in one file; see docs/runner-protocol.md. For Node 20 and later.
// Node loads this file twice over: by --import, before the test file, and as its --test-reporter. To list, it is the program.
import fs from "node:fs";
import path from "node:path";
import shard from "../node/shard.cjs";

const id = shard.listens && shard.mode === "run" ? shard.units()[0] : undefined;
const cases = [];
const cancelled = new Set(); // those that their parent did not wait for
let state = "no test"; // then "running", "over"
let thrown; // what nobody caught

/** What encloses the test of an event: names by depth, how many cases there were when each began, and whether it has tests. */
const queued = [];
const started = [];

/** A reporter that prints nothing. */
export default async function* report(source) {
  state = "running";
  for await (const { type, data } of source) {
    if (type === "test:dequeue") at(data);
    if (type === "test:start") started.splice(data.nesting, Infinity, { name: data.name, first: cases.length, tests: 0 });
    if (type === "test:pass" || type === "test:fail") ended(type === "test:pass", data);
  }
  state = "over";
}

function at({ nesting, name }) {
  queued.splice(nesting, Infinity, name);
  shard.send({ type: "at", id, case: queued.join(" > ") });
}

/** What encloses tests is a case only if it fails by itself, as in a hook; its case then stands before theirs. */
function ended(passed, { nesting, name, skip, todo, details, line, file }) {
  const own = started[nesting];
  if (nesting > 0) started[nesting - 1].tests++;
  if (name === process.argv[1]) name = id; // hooks of the file
  const error = details.error;
  const encloses = own.tests > 0 || details.type === "suite";
  if (encloses && !skip && (passed || error?.failureType === "subtestsFailed")) return;
  const told = { classname: id, name: [...started.slice(0, nesting).map((above) => above.name), name].join(" > "), seconds: details.duration_ms / 1000 };
  if (skip !== undefined) Object.assign(told, { status: "skipped", message: typeof skip === "string" ? skip : "skipped" });
  else if (todo !== undefined) Object.assign(told, { status: "skipped", message: typeof todo === "string" ? `todo: ${todo}` : "todo" });
  else if (passed) told.status = "passed";
  else Object.assign(told, { status: "failed", ...(file && !file.startsWith("file:") ? { file: shard.id(file), line } : {}) }, failure(error));
  if (error?.failureType === "cancelledByParent") cancelled.add(told);
  if (encloses && error?.failureType === "hookFailed") {
    for (const inner of cases.slice(own.first).filter((each) => cancelled.has(each))) Object.assign(inner, { status: "skipped", message: "it did not run, as a hook failed", details: undefined });
  }
  cases.splice(own.first, 0, told);
}

/** What is to be said of an error. */
function failure(error) {
  const cause = error?.code === "ERR_TEST_FAILURE" ? error.cause ?? error : error;
  const text = shard.plain(cause?.stack ?? cause);
  const about = shard.plain(cause?.message ?? cause);
  const hook = error?.failureType === "hookFailed" && error.message !== about ? `${error.message}: ` : "";
  const details = shard.own(text);
  return { message: hook + about, details: text.includes(about) ? details : `${about}\n${details}`, ...shard.place(text.replace(/^(\/.*:\d+)$/m, "at $1"), id) };
}

/** Runs in the process of the file, around it. A file without tests is a program, and passes if it ends well by itself. */
function follow() {
  shard.send({ type: "start", id });
  process.on("uncaughtExceptionMonitor", (error) => (thrown ??= error));
  process.on("beforeExit", () => {
    if (state === "no test") state = "over";
  });
  process.on("exit", (code) => {
    if (state !== "over" && (thrown === undefined || code === 0)) return; // something ended the process
    const failed = code !== 0 && !cases.some(({ status }) => status === "failed");
    const why = thrown === undefined ? { message: `exit status ${code} although no test of the file failed` } : { file: id, ...failure(thrown) };
    shard.finish(id, cases, failed ? { status: "failed", ...why } : {});
    shard.send({ type: "end" });
  });
}

/** Sends the files that patterns name: files, folders, or globs. Without them, those that `node --test` takes. */
function list(patterns) {
  const ending = `\\.[cm]?${process.features.typescript ? "[jt]" : "j"}s$`;
  const usual = new RegExp(`(^|/)(test|test-[^/]*|[^/]*[._-]test)${ending}|(^|/)test/.*${ending}`);
  const found = new Set();
  for (const pattern of patterns.length > 0 ? patterns : ["."]) {
    const stat = fs.statSync(pattern, { throwIfNoEntry: false });
    const before = found.size;
    if (stat && !stat.isDirectory()) found.add(shard.id(path.resolve(pattern)));
    else for (const file of files(stat ? pattern : ".")) if ((stat ? usual : glob(pattern)).test(file)) found.add(file);
    if (found.size === before) console.error(`no file is a test by ${pattern}`);
  }
  for (const file of [...found].sort()) shard.send({ type: "test", id: file });
  shard.send({ type: "end" });
}

/** The files below a folder, but for what is hidden and for packages. */
function* files(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    if (entry.isDirectory()) yield* files(name);
    else yield shard.id(path.resolve(name));
  }
}

/** The regular expression of a glob: * and ? within a name, ** across folders, [a-z], {a,b}. */
function glob(pattern) {
  const parts = { "**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(", "}": ")", ",": "|", "[!": "[^" };
  const text = path.posix.normalize(pattern).replace(/\*\*\/|\*\*|\[!|[\s\S]/g, (part) => parts[part] ?? (/[\w[\]/-]/.test(part) ? part : `\\${part}`));
  return new RegExp(`^${text}$`);
}

/** The option by which Node does something else than to run the file. */
const hollow = process.execArgv.find((option) => /^(-[ceip]|-pe|--(check|eval|interactive|print)(=.*)?)$/.test(option));

/** It ends well, and nothing would have failed. */
function refuse() {
  shard.finish(id, [], { status: "failed", message: `node does not run the file, because of its option ${hollow}` });
  shard.send({ type: "end" });
}

if (id !== undefined && fs.existsSync(id)) hollow === undefined ? follow() : refuse();
else if (shard.listens && shard.mode === "list") list(process.argv.slice(2));
