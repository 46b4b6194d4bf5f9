// Package workdir makes the folder of one control plane, and removes those that earlier runs had
// to leave because they were killed.
package workdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	prefix   = "privatelink-controlplane-"
	lockName = "lock"
	// keptFor is how long the folder of a start that failed stays readable for a person.
	keptFor = time.Hour
)

// Dir is a folder that belongs to this process.
type Dir struct {
	// Path is the folder's absolute path.
	Path      string
	temporary bool
	lock      *os.File
}

// Named uses a folder that the caller chose; it stays when the control plane ends.
func Named(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty: name a new folder, a control plane never takes over another's data", path)
	}
	return &Dir{Path: path}, nil
}

// Temporary makes a folder under base that ends with the control plane.
func Temporary(base string) (*Dir, error) {
	// Under its hidden name no sweep sees the folder before it is locked.
	hidden, err := os.MkdirTemp(base, "."+prefix)
	if err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(hidden, lockName))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", hidden, err)
	}
	path := filepath.Join(base, filepath.Base(hidden)[1:])
	if err := os.Rename(hidden, path); err != nil {
		return nil, err
	}
	return &Dir{Path: path, temporary: true, lock: lock}, nil
}

// Remove ends a temporary folder; a named one stays.
func (d *Dir) Remove() error {
	if !d.temporary {
		return nil
	}
	defer d.lock.Close()
	return os.RemoveAll(d.Path)
}

// Sweep removes temporary folders under base whose process is gone, an hour after they were made.
func Sweep(base string) error {
	paths, err := filepath.Glob(filepath.Join(base, prefix+"*"))
	if err != nil {
		return err
	}
	var failures []error
	for _, path := range paths {
		if err := sweepOne(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func sweepOne(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	mine := info.Sys().(*syscall.Stat_t).Uid == uint32(os.Getuid())
	if !info.IsDir() || !mine || time.Since(info.ModTime()) < keptFor {
		return nil
	}
	lock, err := os.Open(filepath.Join(path, lockName))
	if err == nil {
		defer lock.Close()
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			return nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(path)
}
