package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// root holds the stores of all tests. Each process that runs some of them has its own, made by TestMain.
var root string

func TestMain(m *testing.M) {
	var err error
	if root, err = os.MkdirTemp("", "store-test-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(root)
	os.Exit(code)
}

// open returns the test's own store, empty the first time.
func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(root, t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	if err := s.Put(key, value); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, s *Store, key, want string) {
	t.Helper()
	if got, err := s.Get(key); got != want || err != nil {
		t.Errorf("%q holds %q, %v, want %q", key, got, err, want)
	}
}

func hasNot(t *testing.T, s *Store, key string) {
	t.Helper()
	if got, err := s.Get(key); !errors.Is(err, ErrNotFound) {
		t.Errorf("%q holds %q, %v, want %v", key, got, err, ErrNotFound)
	}
}

func TestPutAndGet(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	has(t, s, "a", "1")
}

func TestOverwrite(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	put(t, s, "a", "2")
	has(t, s, "a", "2")
}

func TestGetMissing(t *testing.T) { hasNot(t, open(t), "a") }

func TestDelete(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	if err := s.Delete("a"); err != nil {
		t.Error(err)
	}
	hasNot(t, s, "a")
}

func TestDeleteMissing(t *testing.T) {
	if err := open(t).Delete("a"); err != nil {
		t.Error(err)
	}
}

func TestOddKeys(t *testing.T) {
	s := open(t)
	for _, key := range []string{"", "two words", "a/b", "../up", "ключ", "100%"} {
		t.Run(key, func(t *testing.T) {
			put(t, s, key, key)
			has(t, s, key, key)
		})
	}
}

func TestKeys(t *testing.T) {
	s := open(t)
	for _, key := range []string{"b", "c", "a"} {
		put(t, s, key, "")
	}
	if keys, err := s.Keys(); !slices.Equal(keys, []string{"a", "b", "c"}) || err != nil {
		t.Errorf("got %q, %v", keys, err)
	}
}

func TestNoKeys(t *testing.T) {
	if keys, err := open(t).Keys(); len(keys) > 0 || err != nil {
		t.Errorf("got %q, %v", keys, err)
	}
}

func TestReopen(t *testing.T) {
	put(t, open(t), "a", "1")
	has(t, open(t), "a", "1")
}

// The next two run at the same time where they are in one process.

func TestManyWriters(t *testing.T) {
	t.Parallel()
	s := open(t)
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() { put(t, s, fmt.Sprint(i), "written") })
	}
	writers.Wait()
	for i := range 20 {
		has(t, s, fmt.Sprint(i), "written")
	}
}

func TestLargeValue(t *testing.T) {
	t.Parallel()
	s, large := open(t), fmt.Sprintf("%01000000d", 7)
	put(t, s, "a", large)
	if got, err := s.Get("a"); got != large || err != nil {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(large))
	}
}

func TestExpire(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	put(t, s, "b", "2")
	time.Sleep(600 * time.Millisecond)
	if err := s.Expire(300 * time.Millisecond); err != nil {
		t.Error(err)
	}
	hasNot(t, s, "a")
	hasNot(t, s, "b")
}

func TestExpireKeepsYoung(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	time.Sleep(400 * time.Millisecond)
	if err := s.Expire(time.Hour); err != nil {
		t.Error(err)
	}
	has(t, s, "a", "1")
}

func TestPutAfterExpiry(t *testing.T) {
	s := open(t)
	put(t, s, "a", "1")
	time.Sleep(600 * time.Millisecond)
	if err := s.Expire(300 * time.Millisecond); err != nil {
		t.Error(err)
	}
	put(t, s, "a", "2")
	has(t, s, "a", "2")
}
