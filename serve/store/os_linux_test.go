//go:build linux

package store

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs a function with the file rights of an ordinary user.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine, which does not unlock it.
		runtime.LockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}

func TestRightsThatAreMissingAreNamed(t *testing.T) {
	dir := t.TempDir()
	for parent := dir; parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	location := filepath.Join(dir, "state.db")
	s, err := Open(t.Context(), location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what         string
		folder, file os.FileMode
		location     string
		want         string
	}{
		{"a folder that cannot be written", 0o555, 0o666, filepath.Join(dir, "new.db"), "cannot be made: permission denied; name a file in a folder that exists and can be written"},
		{"an old state in it", 0o555, 0o666, location, "the file and its folder must be writable"},
		{"a state that cannot be read", 0o777, 0o000, location, "the file and its folder must be writable"},
		{"a state that cannot be written", 0o777, 0o444, location, "the file and its folder must be writable"},
	} {
		if err := os.Chmod(dir, c.folder); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(location, c.file); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			s, err := Open(t.Context(), c.location, Options{})
			if err == nil {
				_, _, err = s.Decide(t.Context(), Decision{Kind: Same, A: key("a", "1"), B: key("b", "2"), By: "kim"})
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.location) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.what, err, c.want)
			}
		})
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestOpeningAgainKeepsTheLock looks whether the kernel still holds the lock of
// a state that the same process has opened and closed once more.
func TestOpeningAgainKeepsTheLock(t *testing.T) {
	location := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, location)
	mustList(t, s, All)
	info, err := os.Stat(location)
	if err != nil {
		t.Fatal(err)
	}
	held := func() int {
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Skip(err)
		}
		n := 0
		for line := range strings.Lines(string(locks)) {
			if strings.Contains(line, fmt.Sprintf(" %d ", os.Getpid())) && strings.Contains(line, fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)) {
				n++
			}
		}
		return n
	}
	before := held()
	if before == 0 {
		t.Skip("/proc/locks does not show the locks of this process")
	}
	for _, open := range []func() (*Store, error){
		func() (*Store, error) { return Open(t.Context(), location, Options{}) },
		func() (*Store, error) { return OpenExisting(t.Context(), location, Options{}) },
	} {
		again, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if n := held(); n != before {
			t.Errorf("%d locks, there were %d", n, before)
		}
	}
}
