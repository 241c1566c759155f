package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"sama/run"
)

// diskSteps is how many sizes of disk are tried, from one without a free page to
// one that is nearly large enough.
const diskSteps = 16

// nobody is an ordinary user, to whom rights apply.
const nobody = 65534

// fullDisks lets second nights run out of disk, on a small file system in memory.
func fullDisks(t *target, ctx context.Context) error {
	disk := filepath.Join(t.dir, "disk")
	if err := os.MkdirAll(disk, 0o777); err != nil {
		return err
	}
	if err := syscall.Mount("sama-crash", disk, "tmpfs", 0, "size=1g"); err != nil {
		fmt.Fprintf(t.stdout, "full disks skipped: a file system cannot be mounted here: %v\n", err)
		return nil
	}
	defer func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.violated("full disks", "unmounting: %v", err)
		}
	}()
	small := *t
	small.place = filepath.Join(disk, "out")
	if err := copyBytes(t.kept(), small.place); err != nil {
		return err
	}
	empty, err := usedBytes(disk)
	if err != nil {
		return err
	}
	if end := small.resolve(ctx, small.place, t.silos.second); end.code != 0 {
		return fmt.Errorf("a night on a file system in memory: %s", end)
	}
	full, err := usedBytes(disk)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(small.place); err != nil {
		return err
	}
	if err := copyBytes(t.kept(), small.place); err != nil {
		return err
	}
	for i := range diskSteps {
		size := empty + (full-empty)*int64(i)/diskSteps
		if err := syscall.Mount("sama-crash", disk, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err != nil {
			return fmt.Errorf("a disk of %d bytes: %w", size, err)
		}
		what := fmt.Sprintf("a disk with %d free bytes of the %d that a night takes", size-empty, full-empty)
		small.refused(ctx, what, small.resolve(ctx, small.place, t.silos.second), small.place, "no space left on device")
	}
	if err := syscall.Mount("sama-crash", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	small.refused(ctx, "a read-only disk", small.resolve(ctx, small.place, t.silos.second), small.place, "read-only file system")
	if err := syscall.Mount("sama-crash", disk, "tmpfs", syscall.MS_REMOUNT, "size=1g"); err != nil {
		return err
	}
	if err := small.last(ctx); err != nil {
		return err
	}
	t.violations = small.violations
	fmt.Fprintf(t.stdout, "%d full disks and a read-only one: refused; with room, the night came through.\n", diskSteps)
	return nil
}

// usedBytes returns how many bytes of a file system are taken.
func usedBytes(path string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(path, &s)
	return int64(s.Blocks-s.Bfree) * int64(s.Bsize), err
}

// copyBytes is measure.CopyOutput onto another file system.
func copyBytes(from, to string) error {
	if err := os.CopyFS(filepath.Join(to, "runs"), os.DirFS(filepath.Join(from, "runs"))); err != nil {
		return err
	}
	return os.Symlink(filepath.Join("runs", run.CurrentID(from)), filepath.Join(to, "current"))
}

// readOnly takes rights away from an ordinary user.
func readOnly(t *target, ctx context.Context) error {
	c := exec.CommandContext(ctx, t.program, "version")
	asNobody(c)
	// Whoever else is to read them must get to them.
	for _, dir := range []string{t.dir, filepath.Dir(t.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	if err := c.Run(); err != nil {
		fmt.Fprintf(t.stdout, "folders that cannot be written skipped: an ordinary user cannot run %s: %v\n", t.program, err)
		return nil
	}
	for _, r := range []struct {
		what      string
		out, runs os.FileMode
		word      string
	}{
		{"an output directory that cannot be written", 0o555, 0o777, t.out()},
		{"a folder of runs that cannot be written", 0o777, 0o555, filepath.Join(t.out(), "runs")},
		{"an output directory that cannot be entered", 0o666, 0o777, t.out()},
	} {
		if err := t.renew(); err != nil {
			return err
		}
		runs := filepath.Join(t.out(), "runs")
		for path, mode := range map[string]os.FileMode{t.out(): r.out, runs: r.runs} {
			if err := os.Chmod(path, mode); err != nil {
				return err
			}
		}
		c, stderr := t.command(ctx, t.resolveLine(t.out(), t.silos.second)...)
		asNobody(c)
		end := endOf(c.Run(), c, stderr)
		for _, path := range []string{t.out(), runs} {
			if err := os.Chmod(path, 0o777); err != nil {
				return err
			}
		}
		t.refused(ctx, r.what, end, r.word, "permission denied")
	}
	fmt.Fprintln(t.stdout, "3 folders that cannot be written or entered: refused.")
	return t.renew()
}

// asNobody lets a process run with the rights of an ordinary user.
func asNobody(c *exec.Cmd) {
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}
