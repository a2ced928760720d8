package runner

import (
	"fmt"
	"strings"
)

// goArgs is what a person wrote after "--", sorted by who understands it.
type goArgs struct {
	// list goes to `go list` and `go test`: build flags that choose source files or modules.
	list []string
	// test goes to `go test` alone: other build flags, flags of the test binary, and flags that the tests define.
	test []string
	// overlay is the value of -overlay, which the listing must see through.
	overlay string
}

// The flags of `go test` that need treatment, without dashes; true: the flag is boolean and takes a value only as
// -flag=value. Source: cmd/go/internal/work.AddBuildFlags and AddCoverFlags, cmd/go/internal/test/testflag.go (Go 1.26).
// A flag that is in no table is one that the tests define.
var (
	goListFlags = map[string]bool{
		"race": true, "msan": true, "asan": true, "modcacherw": true, "linkshared": true,
		"tags": false, "mod": false, "modfile": false, "overlay": false, "compiler": false, "installsuffix": false,
	}
	goTestFlags = map[string]bool{
		"a": true, "x": true, "work": true, "cover": true, "trimpath": true, "buildvcs": true, "short": true, "v": true,
		"artifacts": true, "benchmem": true, "fullpath": true,
		"p": false, "asmflags": false, "buildmode": false, "gccgoflags": false, "gcflags": false, "ldflags": false, "pgo": false,
		"pkgdir": false, "toolexec": false, "covermode": false, "coverpkg": false, "vet": false,
		"benchtime": false, "count": false, "cpu": false, "outputdir": false, "parallel": false, "shuffle": false,
		"blockprofilerate": false, "memprofilerate": false, "mutexprofilefraction": false,
	}
	goRefusedFlags = map[string]string{
		"run":          `the list says which tests run: name packages before "--", or tests with --tests`,
		"skip":         "leave tests out of the list instead: --tests",
		"list":         "`shardctl list` prints the tests",
		"fuzz":         "the seeds of fuzz targets run as tests; to search for new inputs, call go test itself",
		"fuzztime":     "the seeds of fuzz targets run as tests; to search for new inputs, call go test itself",
		"bench":        "benchmarks are not tests; call go test itself",
		"json":         "use --events for a machine-readable record, --junit for a report",
		"exec":         "it is used to collect the test binaries",
		"c":            "the tests are always compiled first",
		"o":            "the test binaries are kept in a temporary folder",
		"n":            "it would run no test",
		"C":            "start shardctl in that folder",
		"timeout":      "it would count all tests of one process together; use --test-timeout or --batch-timeout",
		"failfast":     "it would leave tests without a result; use --fail-fast",
		"coverprofile": "the tests of a package run in several processes, each of which would write the file anew; " + goCoverAdvice,
		"cpuprofile":   goProfileAdvice, "memprofile": goProfileAdvice, "blockprofile": goProfileAdvice,
		"mutexprofile": goProfileAdvice, "trace": goProfileAdvice,
	}
)

const (
	goProfileAdvice = "the tests of a package run in several processes, each of which would write the file anew; call go test itself"
	goCoverAdvice   = "use -cover -args -test.gocoverdir=/absolute/folder, then `go tool covdata textfmt -i=/absolute/folder -o FILE`"
)

// parseGoArgs sorts args as `go test` would: -x, --x, -x=v, -x v and -test.x are understood; a flag that it does not know
// goes to the test binary, together with the word after it; -args (or --) ends the flags, and the rest goes to the test
// binary. The error says which flag cannot be used here and what to use instead.
func parseGoArgs(args []string) (goArgs, error) {
	var sorted goArgs
	for len(args) > 0 {
		arg := args[0]
		if arg == "-args" || arg == "--args" || arg == "--" {
			sorted.test = append(sorted.test, args...)
			break
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(arg[min(len(arg), 1):], "-"), "=")
		name = strings.TrimPrefix(name, "test.")
		if !strings.HasPrefix(arg, "-") || name == "" {
			return goArgs{}, fmt.Errorf("go: %q after \"--\" is not a flag; package patterns go before \"--\"", arg)
		}
		if instead, ok := goRefusedFlags[name]; ok {
			return goArgs{}, fmt.Errorf("go: flag -%s cannot be used with shardctl: %s", name, instead)
		}
		forList, isList := goListFlags[name]
		boolean, isTest := goTestFlags[name]
		boolean = boolean || forList
		words := 1
		if !hasValue && !boolean && len(args) > 1 && (isList || isTest || !strings.HasPrefix(args[1], "-")) {
			words, value = 2, args[1]
		}
		if (isList || isTest) && !hasValue && !boolean && words == 1 {
			return goArgs{}, fmt.Errorf("go: flag -%s needs a value", name)
		}
		if err := checkOneRun(name, value); err != nil {
			return goArgs{}, err
		}
		switch {
		case isList:
			sorted.list = append(sorted.list, args[:words]...)
			if name == "overlay" {
				sorted.overlay = value
			}
		case name != "v": // -v changes only what go test prints
			sorted.test = append(sorted.test, args[:words]...)
		}
		args = args[words:]
	}
	return sorted, nil
}

// checkOneRun refuses flags that make one process run each test several times: a test of the list has one result.
func checkOneRun(name, value string) error {
	switch {
	case name == "count" && value != "1":
		return fmt.Errorf("go: flag -count=%s cannot be used with shardctl: each test of the list runs once; run again for another result, or see --retries", value)
	case name == "cpu" && strings.Contains(value, ","):
		return fmt.Errorf("go: flag -cpu=%s cannot be used with shardctl: each test of the list runs once; make one run for each value", value)
	}
	return nil
}
