package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// faultyNight is a whole night: the lock is taken, a source is kept early, the
// finished run is judged, and published or held back.
func faultyNight(dir string, d disk, held bool) error {
	ctx := context.Background()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		return err
	}
	defer lock.Release()
	table := sourceOf("crm", []string{"id", "tags"}, []bool{false, true}, [][]string{{"1", "2"}, {"", "a\x1fb"}})
	kept, err := d.keepSource(ctx, dir, table, 1)
	if err != nil {
		return err
	}
	opt := Options{Now: sampleClock, Workers: 1, Arrow: true, Lock: lock, Kept: kept, disk: d}
	opt.HoldBack = func(r *Run) (bool, error) {
		if err := d.try("judge", r.Path); err != nil {
			return false, err
		}
		_, err := r.Members()
		return held, err
	}
	_, err = Publish(ctx, dir, sample(nil, 60, 2), opt)
	return err
}

// TestEveryFaultLeavesTheDirectoryAsItWas makes the first touch of the disk in a
// night fail, then the second, and so on until the night gets through.
func TestEveryFaultLeavesTheDirectoryAsItWas(t *testing.T) {
	for _, held := range []bool{false, true} {
		dir := t.TempDir()
		before := publish(t, dir, sample(t, 60, 1), Options{})
		want := tree(t, dir)
		full := errors.New("no space left on device")
		for n := 0; ; n++ {
			left := n
			var failed string
			err := faultyNight(dir, disk{func(op, path string) error {
				if left--; left != -1 {
					return nil
				}
				failed = op + " " + filepath.Base(path)
				return full
			}}, held)
			if failed == "" {
				if err != nil || n < 68 {
					t.Fatalf("after %d faults: %v", n, err)
				}
				break
			}
			if !errors.Is(err, full) || !strings.Contains(err.Error(), dir) {
				t.Errorf("fault at %s: %v", failed, err)
			}
			if strings.Contains(err.Error(), "is whole and current") {
				if r, err := Open(dir); err != nil || r.Info.ID == before.Info.ID || held || failed != "sync "+filepath.Base(dir) {
					t.Fatalf("fault at %s: current is %v (%v), but should be the new run", failed, r, err)
				}
				continue
			}
			if got := tree(t, dir); !slices.Equal(got, want) {
				t.Fatalf("fault at %s leaves %v, want %v", failed, got, want)
			}
			if r, err := Open(dir); err != nil || r.Info.ID != before.Info.ID {
				t.Fatalf("fault at %s: current is %v (%v)", failed, r, err)
			}
		}
		r, err := Open(dir)
		if err != nil || (r.Info.ID == before.Info.ID) != held {
			t.Fatalf("held back: %v, current: %v (%v)", held, r, err)
		}
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestCancelledPublishLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for n := range 40 {
		ctx, cancel := context.WithCancel(context.Background())
		left := n
		opt := Options{Now: sampleClock, Workers: 2}
		opt.disk.fault = func(string, string) error {
			if left--; left == -1 {
				cancel()
			}
			return nil
		}
		opt.Workers = 1
		_, err := Publish(ctx, dir, sample(t, 60, 2), opt)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled at touch %d: %v", n, err)
		}
		if got := tree(t, dir); !slices.Equal(got, []string{"lock", "runs"}) {
			t.Fatalf("cancelled at touch %d: left %v", n, got)
		}
	}
}

// tree returns every name under dir.
func tree(t *testing.T, dir string) []string {
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(dir, path); name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSecondWriterIsTurnedAway(t *testing.T) {
	dir := t.TempDir()
	lock, err := Acquire(dir, sampleClock)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Publish(context.Background(), dir, sample(t, 30, 1), Options{})
	var locked *ErrLocked
	if !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() || !locked.Holder.Since.Equal(sampleStart.Truncate(time.Second)) {
		t.Fatalf("second writer: %v", err)
	}
	for _, word := range []string{dir, fmt.Sprint(os.Getpid()), "2026-11-23T02:00:00Z"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not name %s", err, word)
		}
	}
	publish(t, dir, sample(t, 30, 1), Options{Lock: lock})
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	publish(t, dir, sample(t, 30, 1), Options{})
}

func TestPlacesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, currentName), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{file, filepath.Join(file, "below"), taken} {
		if _, err := Publish(context.Background(), place, sample(t, 30, 1), Options{}); err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", place, err)
		}
	}
}

// crashDir names the variable that turns the test binary into a night that
// stops at the touch of the disk given by crashAt, to be killed there.
const crashDir, crashAt = "SAMA_RUN_CRASH_DIR", "SAMA_RUN_CRASH_AT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		publishUntilKilled(dir, os.Getenv(crashAt))
	}
	os.Exit(m.Run())
}

func publishUntilKilled(dir, at string) {
	var left int
	fmt.Sscan(at, &left)
	err := faultyNight(dir, disk{func(string, string) error {
		if left--; left < 0 {
			fmt.Println("here")
			io.ReadAll(os.Stdin) // until the parent kills us
		}
		return nil
	}}, false)
	fmt.Println("done", err)
	os.Exit(0)
}

// TestKilledPublisher kills a night at several touches of the disk, the last ones
// all. The current run must be whole at once, a new one must take over the lock, and
// nothing half done may stay, nor a run that was never current.
func TestKilledPublisher(t *testing.T) {
	touches := 0
	if err := faultyNight(t.TempDir(), disk{func(string, string) error { touches++; return nil }}, false); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	publish(t, dir, sample(t, 60, 1), Options{})
	whole := 0
	for at := 0; at <= touches; at++ {
		if at%13 != 0 && at < touches-9 {
			continue
		}
		before := CurrentID(dir)
		runs := runsIn(t, dir)
		done := killAt(t, dir, at)
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(); err != nil {
			t.Fatalf("killed at touch %d: %v", at, err)
		}
		switch switched := r.Info.ID != before; {
		case switched:
			runs++
		case runsIn(t, dir) > runs:
			whole++
		}
		publish(t, dir, sample(t, 60, 1), Options{})
		for _, name := range tree(t, dir) {
			if strings.HasPrefix(filepath.Base(name), ".") {
				t.Errorf("killed at touch %d: %s is still there after the next run", at, name)
			}
		}
		if got := runsIn(t, dir); got != runs+1 {
			t.Errorf("killed at touch %d: %d runs after the next one, want %d", at, got, runs+1)
		}
		if done != (at == touches) {
			t.Errorf("killed at touch %d of %d: came through %v", at, touches, done)
		}
	}
	if whole == 0 {
		t.Error("no publisher was killed between the name of its run and the switch")
	}
}

// runsIn counts the runs of a directory.
func runsIn(t *testing.T, dir string) int {
	t.Helper()
	list, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// killAt runs a publisher and kills it at that touch; it reports whether the
// publisher got through before.
func killAt(t *testing.T, dir string, at int) (done bool) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s=%d", crashAt, at))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if done = strings.HasPrefix(line, "done"); done && line != "done <nil>\n" {
		t.Fatal(line)
	}
	if !done {
		if _, err := Acquire(dir, sampleClock); !errors.As(err, new(*ErrLocked)) {
			t.Fatalf("a publisher is at work: %v", err)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return done
}
