package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Usage is what a finished process took.
type Usage struct {
	Wall time.Duration `json:"wall_ns"`
	CPU  time.Duration `json:"cpu_ns"`     // user and system, all threads
	Peak int64         `json:"peak_bytes"` // largest resident set; 0 where the system does not tell
}

// helperWord makes a benchmark's binary the helper. It cannot be a file's or
// flag's name by accident.
const helperWord = "measure:run-one-process"

// Helper must be the first call of a main that measures. In the benchmark
// itself it does nothing; in the small process between the benchmark and the
// measured program it runs that program and does not return.
func Helper() {
	if len(os.Args) < 3 || os.Args[1] != helperWord {
		return
	}
	code, err := helper(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// helper runs a command line with its own standard streams, writes its Usage to
// file descriptor 3 and returns its exit code.
func helper(line []string) (int, error) {
	report := os.NewFile(3, "usage")
	defer report.Close()
	c := exec.Command(line[0], line[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	start := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			// The program may be gone already.
			_ = c.Process.Signal(s)
		}
	}()
	err := c.Wait()
	u := Usage{Wall: time.Since(start)}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	u.CPU, u.Peak = c.ProcessState.UserTime()+c.ProcessState.SystemTime(), peakOf(c.ProcessState)
	if err := json.NewEncoder(report).Encode(u); err != nil {
		return 0, err
	}
	if code := c.ProcessState.ExitCode(); code >= 0 {
		return code, nil
	}
	return 1, fmt.Errorf("%s: %s", line[0], c.ProcessState)
}

// Process runs a command line to its end and returns what it wrote to standard
// output and what it took. A failure's error tells what it wrote to standard
// error. The binary that calls it must call Helper first.
func Process(ctx context.Context, line ...string) ([]byte, Usage, error) {
	var u Usage
	self, err := os.Executable()
	if err != nil {
		return nil, u, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, u, err
	}
	defer r.Close()
	var stdout, stderr strings.Builder
	c := exec.CommandContext(ctx, self, append([]string{helperWord}, line...)...)
	c.Stdout, c.Stderr = &stdout, &stderr
	c.ExtraFiles = []*os.File{w}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	err = c.Start()
	w.Close()
	if err != nil {
		return nil, u, err
	}
	// One short line: it fits into the pipe whether or not anybody reads.
	err = c.Wait()
	if ctx.Err() != nil {
		return nil, u, ctx.Err()
	}
	if err != nil {
		return nil, u, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	if err := json.NewDecoder(r).Decode(&u); err != nil {
		return nil, u, fmt.Errorf("the process between said nothing: %w", err)
	}
	return []byte(stdout.String()), u, nil
}
