//go:build !race

package batch_test

const usualSchedules = 1000
