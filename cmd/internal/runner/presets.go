package runner

import (
	"embed"
	"io/fs"
)

// The granularities; see Options.Granularity.
const (
	automaticUnit = "auto"
	unitTest      = "test"
	unitClass     = "class"
	unitFile      = "file"
)

// presets are the runners that a Tool drives.
var presets = []preset{
	pytest,
	unittest,
	rspec,
	minitest,
	cucumber,
	jest,
	vitest,
	playwright,
	bats,
	phpunit,
	gtest,
	ctest,
	cargo,
	junitPlatform,
	mocha,
	nodeTest,
	cucumberJS,
	socketRunner,
}

//go:embed plugins
var pluginFiles embed.FS

// plugins are the files that the presets put into their runners.
func plugins() fs.FS {
	sub, err := fs.Sub(pluginFiles, "plugins")
	if err != nil {
		panic(err) // a constant
	}
	return sub
}
