// Speaks with a shard worker for the reporters of Node's test runners; see docs/runner-protocol.md. Needs nothing but Node.
"use strict";
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const v8 = require("node:v8");

const MOST_TEXT = 128 * 1024;

// What the tests start must not see the address.
const address = process.env.SHARD_SOCKET;
delete process.env.SHARD_SOCKET;
const root = process.cwd();

let socket;
let unread = "";
let answered = () => {};

function connect() {
  socket = net.connect(address); // a Unix domain socket: connected when this returns
  socket.unref();
  socket.setEncoding("utf8");
  socket.on("error", () => {}); // a worker that is gone has no need for messages
  socket.on("data", (text) => {
    unread += text;
    answered();
  });
  socket.on("close", () => {
    socket = null;
    answered();
  });
}

/** Whether a worker listens: not in a runner that a test started. */
const listens = address !== undefined;

/** What this process is to do: list, run or persistent. */
const mode = process.env.SHARD_MODE;

/** The units of this batch. */
function units() {
  return fs.readFileSync(process.env.SHARD_TESTS_FILE, "utf8").split("\n").filter((id) => id !== "");
}

/** Tells the worker a message at once: it arrives even if the process is killed right after. */
function send(message) {
  if (!listens || socket === null) return;
  if (socket === undefined) connect();
  const line = Buffer.from(JSON.stringify(message, clipped) + "\n");
  for (let at = 0; at < line.length; ) {
    try {
      at += fs.writeSync(socket._handle.fd, line, at);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the worker is slow: one millisecond
    }
  }
}

/** Asks the worker for batches until there are no more, and yields the ids of each. Persistent mode only. */
async function* batches() {
  for (let asked = false; !(asked && crowded()); asked = true) {
    const { type, ids, batch } = await ask();
    if (type !== "batch") return;
    process.env.SHARD_BATCH_ID = batch ?? "";
    yield ids;
  }
}

/** Whether it is time for a new process, which the worker then starts: what tests leave behind adds up. */
function crowded() {
  const { used_heap_size, heap_size_limit } = v8.getHeapStatistics();
  return used_heap_size > heap_size_limit / 2;
}

async function ask() {
  send({ type: "want" });
  if (!socket) return { type: "stop" };
  socket.ref();
  while (socket && !unread.includes("\n")) await new Promise((resolve) => (answered = resolve));
  if (!socket) return { type: "stop" };
  socket.unref();
  const end = unread.indexOf("\n");
  const answer = JSON.parse(unread.slice(0, end));
  unread = unread.slice(end + 1);
  return answer;
}

function clipped(key, value) {
  if (typeof value !== "string" || value.length <= MOST_TEXT) return value;
  return value.slice(0, MOST_TEXT / 4) + "\n[...]\n" + value.slice((-MOST_TEXT * 3) / 4);
}

/** The id of a file: its path from the project's folder, with slashes. */
function id(file) {
  return path.relative(root, file).split(path.sep).join("/");
}

/** A text without the escape sequences of colours. */
function plain(text) {
  return String(text ?? "").replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}

/** The first line that says something, for a message. */
function firstLine(text) {
  const lines = plain(text).replaceAll(root + path.sep, "").split("\n").map((line) => line.trim());
  return (lines.find((line) => line !== "") ?? "").replace(/^(Assertion)?Error( \[ERR_ASSERTION\])?: /, "");
}

/** {file, line} of the first stack frame in the project's own code; prefers a frame in the given file. */
function place(stack, preferred) {
  const places = [];
  for (const line of plain(stack).split("\n")) {
    const found = /^\s*(?:at |❯ )(?:.*?\()?(?:file:\/\/)?(\/.*?):(\d+)(?::\d+)?\)?$/.exec(line);
    if (!found || found[1].includes("/node_modules/")) continue;
    const file = id(line.includes("file://") ? decodeURI(found[1]) : found[1]);
    if (!file.startsWith("../")) places.push({ file, line: Number(found[2]) });
  }
  return places.find(({ file }) => file === preferred) ?? places[0] ?? {};
}

/** Tells the end of a unit by its cases: failed if one is, skipped if all are. A case with the unit's id as its name is the unit as a whole. */
function finish(id, cases, rest = {}) {
  const first = (status) => cases.find((c) => c.status === status);
  const status = first("failed") ? "failed" : cases.length > 0 && cases.every((c) => c.status === "skipped") ? "skipped" : "passed";
  const { name, message, file, line } = first(status) ?? {};
  const known = status === "skipped" || (status === "failed" && name === id) ? { message, file, line } : {}; // other failures are told by their cases
  send({ type: "finish", id, status, cases, ...known, ...rest });
}

/** For units that several projects of a configuration have: while one runs, the others that wait for their next project run out of no time. */
function elsewhere(units, running) {
  for (const [id, { left, cases }] of units) {
    if (id !== running && left > 0 && cases.length > 0) send({ type: "at", id, case: "(waits for its next project)" });
  }
}

/** A text without colours, and without the stack frames of what is installed, of Node and of these plugins. */
function own(stack) {
  const foreign = /^\s*(at|❯) (.*\/node_modules\/|.*\/shard_\w+\.[cm]js:|.*node:|.* \(<anonymous>\)$)/;
  return plain(stack).split("\n").filter((line) => !foreign.test(line)).join("\n");
}

/** Tells that something is wrong outside of the units. */
function problem(scope, message, details) {
  send({ type: "problem", scope, message: firstLine(message), details: plain(details) });
}

/**
 * For runners whose reporters do not hear of failures before the first test (a global set-up) and after the last: the runner
 * prints them and exits with a bad status. Returns a function to call with "running" and "over" when the tests begin and end.
 * Those before are told to fail(message, details), those after are problems, as is whatever fits grave. Sends the end, too.
 */
function surround(scope, fail, grave = /[^\s\S]/) {
  let stage = "before";
  let printed = "";
  const write = process.stderr.write;
  process.stderr.write = function (text, ...rest) {
    if (stage !== "running") printed = (printed + text).slice(-MOST_TEXT / 2);
    return write.call(this, text, ...rest);
  };
  process.prependListener("exit", (code) => { // another one may skip the rest
    const text = own(printed).replace(/^\s*⎯.*$/gm, "").trim();
    const failure = ((code !== 0 && /^\s*(at|❯) /m.test(plain(printed))) || grave.test(text)) && { message: firstLine(text), text };
    if (failure && stage === "before") fail(failure.message, failure.text);
    if (failure && stage === "over") problem(scope, failure.message, failure.text);
    if (stage === "over") send({ type: "end" });
  });
  return (next) => {
    stage = next;
    printed = "";
  };
}

module.exports = { listens, mode, root, units, send, batches, id, plain, firstLine, place, finish, elsewhere, own, problem, surround };
