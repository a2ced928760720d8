package broken

import "testing"

func TestHalf(t *testing.T) {
	if got := Half(10); got != 5 {
		t.Errorf("got %d, want 5", got)
	}
}

func TestHalfOfOdd(t *testing.T) {
	if got := Half(7); got != 3 {
		t.Errorf("got %d, want 3", got)
	}
}
