package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// point is one system call of a night: the k-th of its kind, from 1, that touches
// a path. A path and its calls are the same every night; their order among each
// other need not be.
type point struct {
	call, path string
	k          int
}

// String says it in one line.
func (p point) String() string { return fmt.Sprintf("%s %d of %s", p.call, p.k, p.path) }

// call is a line of strace's log.
type call struct {
	point
	writes   bool // it changes something on disk
	injected bool // strace let it fail
}

// tracedCalls are the calls that may change something on disk.
const tracedCalls = "openat,write,pwrite64,fsync,fdatasync,renameat,renameat2,mkdirat,symlinkat,linkat,unlinkat,ftruncate"

// errorAt returns the error that a disk in trouble gives for a call.
func errorAt(call string) string {
	switch call {
	case "fsync", "fdatasync", "unlinkat":
		return "EIO"
	}
	return "ENOSPC"
}

// errorText is how these errors are told.
var errorText = map[string]string{"EIO": "input/output error", "ENOSPC": "no space left on device"}

// trace runs a second night under strace, on one processor and without the signals
// of the scheduler, so that its calls are those of one thread nearly always. With a point, only calls of its kind that
// touch its path are seen, and that one does not happen: the process is killed
// instead, or the call fails.
func (t *target) trace(ctx context.Context, p point, how string) ([]call, ended, error) {
	log := filepath.Join(t.dir, "strace.log")
	line := []string{"strace", "-f", "-y", "-o", log}
	if how != doKill { // with a filter in the kernel, strace 6 forgets signals
		line = append(line, "--seccomp-bpf")
	}
	switch how {
	case "":
		line = append(line, "-e", "trace="+tracedCalls)
	case doKill:
		line = append(line, "-P", p.path, "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", p.call, p.k))
	case doFail:
		line = append(line, "-P", p.path, "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", p.call, errorAt(p.call), p.k))
	}
	line = append(line, t.resolveLine(t.out(), t.silos.second)...)
	line = append(line, "--workers", "1")
	c, stderr := t.command(ctx, line...)
	c.Env = append(os.Environ(), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	end := endOf(c.Run(), c, stderr)
	if err := ctx.Err(); err != nil {
		return nil, end, err
	}
	calls, err := readLog(log)
	return calls, end, err
}

var (
	logLine   = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	resumed   = regexp.MustCompile(`^\d+ +<\.\.\. (\w+) resumed>`)
	quoted    = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	described = regexp.MustCompile(`^(\d+|AT_FDCWD)<([^>]*)>`)
)

// readLog returns the calls of a log of strace. One whose failure is told in a line
// of its own is there twice, the second time without its path.
func readLog(name string) ([]call, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	seen := make(map[point]int)
	var calls []call
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := logLine.FindStringSubmatch(lines.Text())
		if r := resumed.FindStringSubmatch(lines.Text()); r != nil {
			if strings.Contains(lines.Text(), "(INJECTED)") {
				calls = append(calls, call{point: point{call: r[1]}, injected: true})
			}
			continue
		}
		if m == nil { // signals, ends of threads
			continue
		}
		c := call{point: point{call: m[1], path: pathOf(m[1], m[2])}}
		seen[c.point]++
		c.k = seen[point{c.call, c.path, 0}]
		c.writes = c.call != "openat" || strings.Contains(m[2], "O_CREAT")
		c.injected = strings.Contains(m[2], "(INJECTED)")
		calls = append(calls, c)
	}
	return calls, lines.Err()
}

// pathOf returns the path by which strace's -P finds a call: that of the file or
// folder that it has open, or the first one that it names.
func pathOf(call, arguments string) string {
	if call == "symlinkat" { // the text of the link comes first
		if names := quoted.FindAllStringSubmatch(arguments, 2); len(names) == 2 {
			return names[1][1]
		}
	}
	if m := described.FindStringSubmatch(arguments); m != nil && m[1] != "AT_FDCWD" {
		return m[2]
	}
	if m := quoted.FindStringSubmatch(arguments); m != nil {
		return m[1]
	}
	return ""
}

// within reports whether a path is a folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+string(filepath.Separator))
}
