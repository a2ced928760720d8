// Tells a shard worker what Mocha does; see docs/runner-protocol.md. For Mocha 10 and later, by --require.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const shard = require("../node/shard.cjs");

/** A file of the batch. */
class Unit {
  constructor(id) {
    this.id = id;
    this.tests = []; // all that it defines and that no .only hides
    this.cases = new Map(); // what became of a test or a hook
    this.begun = this.over = false;
  }

  begin() {
    if (!this.begun) shard.send({ type: "start", id: this.id });
    this.begun = true;
  }

  at(runnable) {
    if (this.begun && !this.over) shard.send({ type: "at", id: this.id, case: title(runnable) });
  }

  told(runnable, what) {
    this.cases.set(runnable, { classname: this.id, name: title(runnable), ...what });
  }

  get failed() {
    return [...this.cases.values()].some((told) => told.status === "failed");
  }

  /** Ends it; rest is what finish says beside the cases. */
  end(rest) {
    if (this.over) return;
    this.begin();
    if (this.failed) {
      for (const test of this.tests) {
        if (!this.cases.has(test)) this.told(test, { status: "skipped", message: "it did not run, as a hook failed or the run was cut short" });
      }
    }
    this.over = true;
    shard.finish(this.id, [...this.cases.values()], rest);
  }
}

/** Units of the batch by the absolute path of their file. */
const units = new Map();

/** Units by the suite that holds all of their file; see gather. */
const gathered = new Map();

/** Batches, in persistent mode. */
const batches = shard.batches();

/** Sets the units of the batch. */
function expect(ids) {
  for (const file of units.keys()) delete require.cache[file]; // of the batch before
  units.clear();
  gathered.clear();
  for (const id of ids) units.set(path.resolve(id), new Unit(id));
}

/** Turns Mocha's events into messages. */
class Report {
  constructor(Mocha, runner) {
    this.Mocha = Mocha;
    this.runner = runner;
    runner.on("start", () => this.start());
    runner.on("suite", (suite) => gathered.get(suite)?.begin());
    runner.on("hook", (hook) => aroundAll(hook) && this.unit(hook)?.at(hook)); // others belong to their test
    runner.on("test", (test) => this.unit(test)?.at(test));
    runner.on("pass", (test) => this.told(test, { status: "passed" }));
    runner.on("pending", (test) => this.told(test, { status: "skipped", message: test.fn ? "skipped by this.skip()" : "pending" }));
    runner.on("fail", (runnable, error) => this.fail(runnable, error));
    runner.on("suite end", (suite) => this.ended(suite));
    runner.on("end", () => this.end());
  }

  start() {
    for (const [suite, unit] of gathered) {
      suite.eachTest((test) => unit.tests.push(test));
      if (unit.tests.length > 0 && this.runner.grepTotal(suite) === 0) unit.end({ status: "skipped", message: "no test matches --grep" });
    }
  }

  /** The unit that a test or hook belongs to. Hooks around the whole run belong to none. */
  unit(runnable) {
    if (runnable.parent?.parent) for (let at = runnable; at; at = at.parent) if (gathered.has(at)) return gathered.get(at);
    return aroundAll(runnable) ? undefined : units.get(runnable.ctx?.currentTest?.file);
  }

  told(runnable, what) {
    this.unit(runnable)?.told(original(runnable), { seconds: (runnable.duration ?? 0) / 1000, ...what });
  }

  fail(runnable, error) {
    const unit = this.unit(runnable);
    const message = shard.plain(error.message);
    if (unit && !unit.over) {
      const details = this.details(error);
      this.told(runnable, { status: "failed", message, details, ...shard.place(details, unit.id) });
      return;
    }
    const failure = { message: `${title(runnable)} failed: ${message}`, details: this.details(error) };
    if (/^"before all" /.test(runnable.title)) this.rootFailed = failure;
    else shard.send({ type: "problem", scope: unit?.id ?? "mocha", ...failure });
  }

  details(error) {
    const { Base } = this.Mocha.reporters;
    const stack = own(error.stack);
    const texts = [stack.includes(error.message) ? stack : `${error.message}\n${stack}`];
    if (Base.showDiff(error) && !error.generatedMessage) {
      const [actual, expected] = [error.actual, error.expected].map((value) => (typeof value === "string" ? value : this.Mocha.utils.stringify(value)));
      texts.push(Base.generateDiff(actual, expected));
    }
    for (let cause = error.cause; cause && texts.length < 10; cause = cause.cause) texts.push(`Caused by: ${own(cause.stack ?? cause)}`);
    return shard.plain(texts.join("\n"));
  }

  /** Each test must have been told of: one that something keeps from running is no pass. */
  ended(suite) {
    const unit = gathered.get(suite);
    if (unit && (unit.failed || unit.cases.size >= this.runner.grepTotal(suite))) unit.end();
  }

  /** What has not ended by now: a hook around the whole run failed, or the file has no test. Other units run again, alone. */
  end() {
    if (this.rootFailed) for (const unit of units.values()) unit.end({ status: "failed", ...this.rootFailed });
    if (units.size > 1) return;
    for (const unit of gathered.values()) if (unit.tests.length === 0) unit.end({ status: "skipped", message: "the file has no test" });
  }
}

/** What a test or hook is called, with the suites around it. */
function title(runnable) {
  return runnable.titlePath().join(" > ");
}

/** A stack trace in the project's own code, with whole paths: Mocha cuts the project's folder off. */
function own(stack) {
  const whole = shard.plain(stack).replace(/^(\s+at (?:.* \()?)(?![/(<]|file:|node:)([^()\n]+:\d+:\d+\)?)$/gm, `$1${shard.root}/$2`);
  return shard.own(whole);
}

/** Whether a hook runs once, not for each test. */
function aroundAll(hook) {
  return /^"(before|after) all" /.test(hook.title);
}

/** The test as the file defines it: a retry runs a copy. */
function original(test) {
  while (test.retriedTest?.()) test = test.retriedTest();
  return test;
}

/** Lists the files that Mocha found, or loads those of the batch: one that cannot be loaded fails, and is no harm to the others. */
async function load(mocha, one) {
  const setup = [mocha.options.file ?? []].flat().map((file) => path.resolve(file));
  if (shard.mode === "list") {
    for (const file of mocha.files) if (!setup.includes(file)) shard.send({ type: "test", id: shard.id(file) });
    shard.send({ type: "end" });
    process.exit(0);
  }
  if (mocha.options.dryRun) throw new Error("--dry-run runs no test");
  const { value } = shard.mode === "run" ? { value: shard.units() } : await batches.next();
  expect(value ?? []);
  mocha.files = await loadEach(mocha, one, [...setup, ...present()]);
}

/** The files of the batch that there are. */
function present() {
  return [...units.keys()].filter((file) => fs.existsSync(file));
}

async function loadEach(mocha, one, files) {
  if (units.size === 1) for (const file of files) units.get(file)?.begin(); // what happens while it is loaded, it did
  for (const file of files) {
    const before = LISTS.map((name) => mocha.suite[name].length);
    mocha.files = [file];
    try {
      await one();
    } catch (error) {
      if (!units.has(file)) throw error;
      unload(mocha, before);
      const { id } = units.get(file);
      const message = `cannot be loaded: ${shard.plain(error?.message ?? error)}`;
      const details = own(error?.stack ?? error);
      units.get(file).end({ status: "failed", message, details, file: id, ...shard.place(details.replace(/^(\/.*:\d+)$/m, "at $1"), id) });
    }
    if (units.has(file)) gather(mocha, file, before);
  }
  return files;
}

/**
 * Lets Mocha run batch after batch in what is one run to it: when it has run the suites that there are, it gets more. So hooks
 * around the whole run, and the global set-up, run once. As ever in Mocha, all files share what they have loaded beside themselves.
 */
function persist({ constructor: { Suite }, suite: root }, runner, report, loadUnits) {
  const { runSuite, grepTotal } = runner;
  let last = Suite.create(root, "");
  runner.grepTotal = (suite) => grepTotal.call(runner, suite) || Number(suite === root); // more may come
  runner.runSuite = (suite, done) => {
    if (suite !== last) runSuite.call(runner, suite, done);
    else more().then(() => setImmediate(done)); // not in here, where what is thrown is a rejection
  };

  async function more() {
    report.end();
    const { value: ids } = await batches.next();
    if (!ids) return;
    expect(ids);
    await loadUnits();
    last = Suite.create(root, "");
    report.start();
  }
}

/** What the root of all suites holds. */
const LISTS = ["suites", "tests", "_onlyTests", "_onlySuites", "_beforeAll", "_beforeEach", "_afterEach", "_afterAll"];

/** Takes back what a file has defined: it may have thrown in the middle of a suite. */
function unload(mocha, before) {
  LISTS.forEach((name, i) => (mocha.suite[name].length = before[i]));
  for (const event of ["pre-require", "require", "post-require"]) mocha.suite.removeAllListeners(event);
  mocha.ui(mocha.options.ui);
}

/**
 * Gives a file a suite of its own, without a title: its tests run one after another, and neither hooks at its root nor its .only
 * are for the other files of the batch. So it does there what it does alone.
 */
function gather({ constructor: { Suite }, suite: root }, file, before) {
  const suite = Suite.create(root, "");
  root.suites.pop();
  suite.root = true; // no part of titles
  LISTS.forEach((name, i) => {
    const own = root[name].splice(before[i]);
    for (const each of own) each.parent = suite;
    suite[name].push(...own);
  });
  root.suites.push(suite);
  if (suite.hasOnly()) suite.filterOnly();
  forgetOnly(suite);
  gathered.set(suite, units.get(file));
}

/** What .only has chosen is all there is now. */
function forgetOnly(suite) {
  suite._onlyTests = [];
  suite._onlySuites = [];
  suite.suites.forEach(forgetOnly);
}

/** Lets Mocha, as its command line has loaded it by now, tell what it does. */
function install() {
  const modules = Object.keys(require.cache).filter((file) => /[\\/]lib[\\/]mocha\.c?js$/.test(file)).map((file) => require.cache[file].exports);
  const Mocha = modules.find((each) => each.prototype?.loadFilesAsync);
  if (!Mocha) throw new Error("this is no version of Mocha that shards know: 10 and later");
  const { loadFilesAsync, run, runGlobalSetup, runGlobalTeardown } = Mocha.prototype;

  Mocha.prototype.loadFilesAsync = function (...args) {
    return load(this, () => loadFilesAsync.apply(this, args));
  };
  Mocha.prototype.run = function (done, ...args) {
    // What the default reporter prints would stand in the output of the tests. One that the project chose does its work.
    if ((this.options.reporter ?? "spec") === "spec") this.reporter(class Silent {});
    const runner = run.call(this, (failures) => {
      process.on("exit", () => shard.send({ type: "end" }));
      done?.(failures);
    }, ...args);
    const report = new Report(Mocha, runner);
    const one = () => loadFilesAsync.call(this);
    if (shard.mode === "persistent") persist(this, runner, report, () => loadEach(this, one, present()));
    return runner;
  };
  Mocha.prototype.runGlobalSetup = async function (...args) {
    try {
      return await runGlobalSetup.apply(this, args);
    } catch (error) {
      for (const unit of units.values()) unit.end({ status: "failed", message: `global setup failed: ${error?.message ?? error}`, details: own(error?.stack) });
      throw error;
    }
  };
  Mocha.prototype.runGlobalTeardown = async function (...args) {
    try {
      return await runGlobalTeardown.apply(this, args);
    } catch (error) {
      shard.problem("mocha", `global teardown failed: ${error?.message ?? error}`, own(error?.stack));
      throw error;
    }
  };
}

if (shard.listens) install();
