// Package trouble adds numbers. Its tests do worse: each shows one way in which a test can ruin the run of the others.
// They only do so if asked to; see package optin.
package trouble

// Sum adds numbers.
func Sum(numbers ...int) int {
	sum := 0
	for _, n := range numbers {
		sum += n
	}
	return sum
}
