//go:build !linux

package runner

// fionread asks how many bytes a pipe holds; golang.org/x/sys/unix does not name it here (sys/filio.h).
const fionread = 0x4004667f
