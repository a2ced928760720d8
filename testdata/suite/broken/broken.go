// Package broken halves numbers. With `-tags broken` it does not compile.
package broken

// Half returns half of n, rounded towards zero.
func Half(n int) int { return n / 2 }
