// Tells the reporter for Vitest 3 and later what it would hear from them, for Vitest 2.1.

/**
 * Vitest 2.1 tells neither that a file starts nor which one was in a process that died. So its files run one after another,
 * whatever the options say: all that goes wrong meanwhile is about the file that runs.
 */
export default function adapt(reporter, vitest) {
  const { state } = vitest;
  let told; // the tests of the file that have begun

  reporter.onPathsCollected = (paths) => reporter.onTestRunStart(paths.map((moduleId) => ({ moduleId })));
  reporter.onTaskUpdate = (packs) => {
    for (const [id, result] of packs) {
      const test = state.getReportedEntity(state.idMap.get(id));
      if (test?.type !== "test" || result?.state !== "run" || told.has(id)) continue;
      told.add(id); // the hooks of a test are updates, too
      reporter.onTestCaseReady(test);
    }
  };
  reporter.onFinished = () => reporter.onTestRunEnd();

  async function runFile(pool, spec, invalidates) {
    const { moduleId, project } = spec;
    const types = spec.pool === "typescript";
    if (types) delete project.workspaceProject.typechecker; // it would tell of the file before
    const before = new Set(state.getFiles([moduleId])); // in other projects
    told = new Set();
    reporter.onTestModuleQueued({ moduleId, state: () => "queued" });
    await pool.runTests([spec], invalidates).catch((error) => state.catchError(error, "Unhandled Error"));
    const file = state.getFiles([moduleId]).find((file) => !before.has(file));
    if (!file?.result || file.result.state === "run") return reporter.bury();
    if (!types) for (const error of reporter.unhandled()) error.VITEST_TEST_PATH = moduleId; // it has another form of it, or none
    reporter.onTestModuleEnd(state.getReportedEntity(file));
  }

  let current; // Vitest makes its pool late
  Object.defineProperty(vitest, "pool", {
    get: () => current,
    set(pool) {
      current = pool && {
        ...pool,
        async runTests(specs, invalidates) {
          for (const spec of specs) await runFile(pool, spec, invalidates);
        },
      };
    },
  });
}
