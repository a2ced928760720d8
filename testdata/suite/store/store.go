// Package store keeps values in files, one for each key.
package store

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// ErrNotFound is returned for a key without a value.
var ErrNotFound = errors.New("no such key")

// Store is a folder of values.
type Store struct{ dir string }

// Open returns the store in a folder, which it makes if need be.
func Open(dir string) (*Store, error) {
	return &Store{dir}, os.MkdirAll(dir, 0o755)
}

// file returns the name of a key's file. No key, however odd, leads out of the folder.
func (s *Store) file(key string) string { return filepath.Join(s.dir, "k"+url.PathEscape(key)) }

// Put sets a key's value.
func (s *Store) Put(key, value string) error { return os.WriteFile(s.file(key), []byte(value), 0o644) }

// Get returns a key's value, or ErrNotFound.
func (s *Store) Get(key string) (string, error) {
	value, err := os.ReadFile(s.file(key))
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	return string(value), err
}

// Delete removes a key. It is no error if there is none.
func (s *Store) Delete(key string) error {
	err := os.Remove(s.file(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Keys returns all keys in order.
func (s *Store) Keys() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, entry := range entries {
		key, err := url.PathUnescape(entry.Name()[1:])
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Expire deletes the keys that were put more than age ago.
func (s *Store) Expire(age time.Duration) error {
	keys, err := s.Keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		info, err := os.Stat(s.file(key))
		if err != nil {
			return err
		}
		if time.Since(info.ModTime()) > age {
			if err := s.Delete(key); err != nil {
				return err
			}
		}
	}
	return nil
}
