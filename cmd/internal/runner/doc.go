// Package runner runs one batch with the project's own test runner: a preset that knows the runner (Go), or a command
// template that knows nothing but the JUnit files that the command writes.
package runner
