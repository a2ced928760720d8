//go:build !linux

package cli

// DieWithParent needs Linux.
func DieWithParent() error {
	return Usagef("--die-with-parent works on Linux only; start the worker with exec instead")
}
