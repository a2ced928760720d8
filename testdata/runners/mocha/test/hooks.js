// Root hooks: every test finds what they prepare.
exports.mochaHooks = {
  beforeAll() {
    globalThis.prepared = true;
  },
  beforeEach() {
    globalThis.fresh = true;
  },
};
