# Everything that is done to this repository. It keeps to what POSIX make knows, and needs only Go and a shell.

GO = go
FUZZTIME = 10s
DURATION = 12h
SCHEDULES = 100
RUNS = 40
SEED = 1
# Pinned here, as a tool in go.mod would be a dependency of everybody who imports the module.
# Without ST1005, which takes "Redis" for a capital letter and "./..." for the end of a sentence, in messages of errors.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2 -checks inherit,-ST1005

# Without what it would call where that is installed, so that it says the same everywhere.
ACTIONLINT = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 -shellcheck= -pyflakes=

help: ## list the targets (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

build: ## bin/shardctl and bin/shardworker
	$(GO) build -trimpath -o bin/ \
		-ldflags "-X main.version=$$(git describe --tags --always --dirty 2>/dev/null || echo devel)" ./cmd/shardctl ./cmd/shardworker

test: redis ## all tests, on the embedded server and on a real redis-server; RACE=-race looks for data races
	cd testdata/suite && $(GO) test ./...
	$(GO) test $(RACE) -timeout 25m ./...

lint: ## gofmt, go vet, staticcheck and actionlint
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd testdata/suite && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...
	$(GO) run $(ACTIONLINT) .github/workflows/*.yml .github/workflows/examples/*.yml

bench: redis ## the benchmarks of the protocol, and of what workers wait for
	$(GO) test -run '^$$' -bench . -benchtime 0.3s ./batch/... ./cmd/internal/worker/...

bench-schedule: ## how near to the bound runs end, on recorded suites, beside other strategies; draws docs/schedule.svg
	$(GO) test ./cmd/internal/plan -count 1 -run '^TestSchedules$$' -v -schedule-seeds 3 -schedule-plot ../../../docs/schedule.svg

bench-scale: redis ## what 100,000 tests on 1,000 workers, and 1,000,000 tests that do nothing on 64, cost Redis
	$(GO) test ./batch -count 1 -run '^TestScale$$' -v -scale-tests 100000 -scale-workers 1000 -scale-seconds 0.1
	$(GO) test ./batch -count 1 -run '^TestScale$$' -v -scale-tests 1000000 -scale-workers 64

bench-runners: ## what tests take with their runner alone, with its own processes, and with two workers; needs python3-networkx and python3-pytest-xdist
	cd cmd/shardctl && SHARDCTL_RUNNERS_TABLE=1 $(GO) test -count=1 -timeout 30m -run '^TestRunnersTable$$'

suites: ## suites that nobody here wrote, with their own runners and with two workers; fetches them into a temporary folder
	@dir=$$(mktemp -d) && .ci/suites "$$dir" && \
	(cd cmd/shardctl && SHARDCTL_SUITES="$$dir" $(GO) test -count=1 -timeout 90m -run '^(TestOtherSuites|TestPythonSuites)$$'); \
	status=$$?; rm -rf "$$dir"; exit $$status

faults: redis ## what the faults do to a run that break the alternatives, in 3 minutes; FAULTS_OUT=FILE keeps the table
	cd cmd/shardctl && SHARDCTL_FAULT_TABLE=1 FAULTS_OUT='$(FAULTS_OUT)' $(GO) test -count=1 -timeout 5m -parallel 4 -run '^TestFaultTable$$'

chaos: redis ## RUNS=40 runs of 2,500 tests on real processes, under random faults; SEED=1 is the first seed
	cd cmd/shardctl && $(GO) test -run '^TestChaos$$' -count 1 -timeout 0 -parallel 4 -chaos-runs $(RUNS) -chaos-seed $(SEED)

mutants: ## breaks each rule of the protocol and looks which test notices, on SCHEDULES=100; writes docs/mutants.md
	@status=0; \
	$(GO) test ./batch -count 1 -run '^TestMutants$$' -mutants ../docs/mutants.md -schedules $(SCHEDULES) -timeout 30m || status=$$?; \
	cat docs/mutants.md; exit $$status

soak: redis ## the simulation for DURATION=12h, beginning with a seed of its own
	$(GO) test -v ./batch -run '^TestSimulation$$' -duration $(DURATION) -seed $$(date +%s) -timeout 0

readers: ## whether readers of JUnit from npm count the cases of our reports as we do
	@dir=$$(mktemp -d) && cp junit/testdata/readers/* "$$dir" && npm install --prefix "$$dir" --ignore-scripts --no-audit --no-fund >/dev/null && \
	JUNIT_READERS="$$dir" $(GO) test ./junit -count 1 -run '^TestReaders$$' -v; status=$$?; rm -rf "$$dir"; exit $$status

fuzz: ## each fuzz target for FUZZTIME=10s
	@targets=$$($(GO) test -list '^Fuzz' ./...) || { echo "$$targets"; exit 1; }; \
	echo "$$targets" | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

clean: ## what build made
	rm -rf bin

redis:
	@.ci/need redis-server

.PHONY: help build test lint bench bench-runners bench-scale bench-schedule faults chaos mutants soak readers suites fuzz clean redis
