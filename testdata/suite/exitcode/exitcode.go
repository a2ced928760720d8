// Package exitcode compares numbers. Its tests pass, but the process that ran them may still fail.
package exitcode

// Larger returns the larger number.
func Larger(a, b int) int { return max(a, b) }
