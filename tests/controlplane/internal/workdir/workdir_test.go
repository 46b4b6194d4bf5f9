package workdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

func age(t *testing.T, path string) {
	t.Helper()
	old := time.Now().Add(-keptFor - time.Minute)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

func temporary(t *testing.T, base string) *Dir {
	t.Helper()
	dir, err := Temporary(base)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTemporaryFolderIsRemoved(t *testing.T) {
	base := t.TempDir()
	dir := temporary(t, base)
	if err := os.WriteFile(filepath.Join(dir.Path, "data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dir.Remove(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSweepRemovesOldFoldersOfTheDead(t *testing.T) {
	base := t.TempDir()
	dead, young, living := temporary(t, base), temporary(t, base), temporary(t, base)
	halfRemoved := temporary(t, base)
	if err := os.Remove(filepath.Join(halfRemoved.Path, lockName)); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(base, "something-else")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	// A killed process loses its locks.
	dead.lock.Close()
	young.lock.Close()
	for _, path := range []string{dead.Path, living.Path, halfRemoved.Path, foreign} {
		age(t, path)
	}
	if err := Sweep(base); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		dead.Path: false, halfRemoved.Path: false, young.Path: true, living.Path: true, foreign: true,
	} {
		if got := exists(t, path); got != want {
			t.Errorf("%s exists: %v, want %v", filepath.Base(path), got, want)
		}
	}
}

func TestNamedFolderStaysAndMustBeEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "on", "demand")
	dir, err := Named(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "etcd.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dir.Remove(); err != nil || !exists(t, path) {
		t.Errorf("a folder that the caller named was removed (%v)", err)
	}
	if _, err := Named(path); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a used folder was taken: %v", err)
	}
}
