// Command shardctl enqueues a run's tests, supervises the run, and tells its verdict.
package main

import "github.com/shardctl/shardctl/cmd/internal/cli"

func main() { cli.Main(program()) }

func program() cli.Program {
	return cli.Program{
		Name:  "shardctl",
		Short: "runs a project's tests on any number of workers through one Redis",
		Long: `
One machine, nothing installed:   shardctl run --workers 4 --runner go ./...
Many machines, one Redis:         shardctl run --redis-url URL --run-id ID --workers 0 --runner go ./...
  and in each other job:          shardworker --redis-url URL --run-id ID --runner go
Any other test runner:            shardctl run --tests list.txt -- ./run.sh {tests_file} {junit}

Exit status: 0 every test passed, 1 a test failed, 2 bad usage or credentials, 3 the run is incomplete, 4 no tests,
130/143 stopped by a signal. More about a command: shardctl COMMAND --help`,
		Commands: []cli.Command{
			runCommand(), enqueueCommand(), waitCommand(), statusCommand(), inspectCommand(), listCommand(), initCommand(), planCommand(), splitCommand(), mergeCommand(), reportCommand(), replayCommand(), abortCommand(),
			cleanCommand(), doctorCommand(), completionCommand(), versionCommand(),
		},
	}
}
