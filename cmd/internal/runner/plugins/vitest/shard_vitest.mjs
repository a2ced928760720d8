// Tells a shard worker what Vitest does; see docs/runner-protocol.md. A reporter for Vitest 3 and later, and with vitest2.mjs
// for 2.1; needs nothing but Vitest.
import shard from "../node/shard.cjs";
import adapt from "./vitest2.mjs";

const units = new Map(); // of the batch: what is known of each, by its id
let enter = () => {};

if (shard.listens) {
  if (shard.mode === "run") expect(shard.units());
  enter = shard.surround("vitest", (message, details) => {
    for (const [id, { left }] of units) if (left > 0) shard.send({ type: "finish", id, status: "failed", message, details });
  }, /^error during close/m); // with status 0
}

/** Sets the units of the batch. */
function expect(ids) {
  units.clear();
  for (const id of ids) units.set(id, { left: 0, began: false, running: null, cases: [], seconds: 0 });
}

export default class Reporter {
  onInit(vitest) {
    this.vitest = vitest;
    this.told = new Set(); // of the unhandled errors
    if (parseFloat(vitest.version) < 3) adapt(this, vitest);
    if (shard.mode === "persistent") persist(vitest);
    else for (const project of vitest.projects ?? []) exact(project);
  }

  onTestRunStart(specifications) {
    for (const { moduleId } of specifications) {
      const unit = units.get(shard.id(moduleId));
      if (unit) unit.left++;
    }
    if (specifications.length === 0) enter("over");
  }

  onTestModuleQueued(module) {
    enter("running");
    if (this.vitest.config.fileParallelism === false) this.bury(); // one after another
    const id = shard.id(module.moduleId);
    const unit = units.get(id);
    if (unit) [unit.began, unit.running] = [true, module];
    shard.send({ type: "start", id });
    shard.elsewhere(units, id);
  }

  onTestModuleCollected(module) {
    const unit = units.get(shard.id(module.moduleId));
    if (unit) unit.running = module; // from now on it knows of errors
  }

  onTestCaseReady({ module, fullName }) {
    const id = shard.id(module.moduleId);
    shard.send({ type: "at", id, case: fullName });
    shard.elsewhere(units, id);
  }

  onUserConsoleLog({ content }) {
    process.stdout.write(content);
  }

  onTestModuleEnd(module) {
    const id = shard.id(module.moduleId);
    const unit = units.get(id);
    if (!unit) return;
    const classname = module.project.name ? `${id} [${module.project.name}]` : id;
    const add = (name, told) => unit.cases.push({ classname, name, ...told });
    for (const test of module.children.allTests()) add(test.fullName, caseOf(id, test));
    for (const suite of module.children.allSuites()) for (const error of errorsOf(suite)) add(suite.fullName, failure(id, error));
    for (const error of errorsOf(module)) add(id, failure(id, error));
    for (const error of this.unhandled()) {
      if (error.VITEST_TEST_PATH !== module.moduleId) continue;
      this.told.add(error);
      add(error.VITEST_TEST_NAME ?? id, failure(id, error, `${error.type}: `));
    }
    if (unit.cases.length === 0) add(id, { status: "failed", message: "it has no tests" });
    unit.seconds += module.diagnostic().duration / 1000;
    unit.running = null;
    if (--unit.left <= 0) shard.finish(id, unit.cases, { seconds: unit.seconds });
  }

  onTestRunEnd() {
    this.bury();
    for (const error of this.unhandled()) shard.problem("vitest", `${error.type}: ${error.message}`, text(error));
    if ([...units.values()].every(({ left, began }) => left === 0 || began)) enter("over");
  }

  /** Ends the files that run no more. Unless Vitest 3 just does not tell the end, they were in a process that died. */
  bury() {
    for (const { running } of units.values()) if (running?.state() === "failed") this.onTestModuleEnd(running);
    const dead = [...units].filter(([, { running }]) => running);
    if (dead.length === 0) return;
    const errors = this.unhandled(); // they name no file
    for (const error of errors) this.told.add(error);
    const message = ["its process ended before the file did", ...errors.map((error) => error.cause?.message ?? error.message)].filter(Boolean).join(": ");
    for (const [id, unit] of dead) {
      unit.running = null;
      unit.cases.push({ classname: id, name: id, status: "failed", message, details: errors.map(text).join("\n\n") });
      shard.finish(id, unit.cases, { seconds: unit.seconds });
    }
  }

  /** Errors that came outside of all tests, and that no unit was told. */
  unhandled() {
    if (this.vitest.config.dangerouslyIgnoreUnhandledErrors) return [];
    return this.vitest.state.getUnhandledErrors().filter((error) => !this.told.has(error));
  }
}

/** Restricts a project to the units: Vitest itself takes the files on its command line as parts of names. */
function exact(project) {
  const glob = project.globTestFiles.bind(project);
  project.globTestFiles = async () => {
    const found = await glob([]);
    for (const kind of ["testFiles", "typecheckTestFiles"]) found[kind] = found[kind].filter((file) => units.has(shard.id(file)));
    return found;
  };
}

/**
 * Lets Vitest, which is about to run all files that it found, run those of batch after batch. The global set-up comes with the
 * first, and the tear-down after the last. As ever, each file has a worker of its own, unless the options say otherwise.
 */
function persist(vitest) {
  const runFiles = vitest.runFiles;
  vitest.runFiles = async (found, ...rest) => {
    let result = { testModules: [], unhandledErrors: [] };
    for await (const ids of shard.batches()) {
      expect(ids);
      const chosen = found.filter(({ moduleId }) => units.has(shard.id(moduleId)));
      if (chosen.length > 0) result = await runFiles.call(vitest, chosen, ...rest);
      enter("over");
    }
    return result;
  };
}

function caseOf(id, test) {
  const { state, note, errors = [] } = test.result() ?? {}; // Vitest 2 has none for a test that was not to run
  const seconds = (test.diagnostic()?.duration ?? 0) / 1000;
  if (state === "passed") return { status: state, seconds };
  if (state === "failed") return { ...failure(id, errors[0] ?? {}), details: errors.map(text).join("\n\n"), seconds };
  return { status: "skipped", message: note ?? (test.options.mode === "todo" ? "todo" : "skipped") };
}

/** The errors of a suite or a module itself. */
function errorsOf(collection) {
  return collection.errors?.() ?? collection.task.result?.errors ?? []; // Vitest 2 has no method for them
}

function failure(id, error, kind = "") {
  return { status: "failed", message: kind + shard.firstLine(named(error)), details: text(error), ...place(id, error) };
}

function place(id, error) {
  const syntax = error.__vitest_rollup_error__?.loc;
  const frames = syntax ? [syntax] : (error.stacks ?? []);
  return shard.place(frames.map(({ file, line }) => `at ${file}:${line}`).join("\n") || error.stack, id);
}

function named({ name, message }) {
  return [name, message].filter(Boolean).join(": ");
}

/** What Vitest knows of an error: its message, the difference, the stack trace. */
function text(error) {
  const frames = shard.own(error.stack).split("\n").filter((line) => /^\s+at /.test(line)).join("\n");
  return shard.plain([named(error), error.diff, error.__vitest_rollup_error__?.frame, frames].filter(Boolean).join("\n"));
}
