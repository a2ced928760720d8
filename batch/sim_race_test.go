//go:build race

package batch_test

// usualSchedules are fewer under the race detector, which has little to find in what is single-threaded.
const usualSchedules = 100
