package measure

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"sama/run"
)

// Program is the path of a sama binary.
type Program string

// Build builds the sama binary of the module at root into dir.
func Build(ctx context.Context, root, dir string) (Program, error) {
	path := filepath.Join(dir, "sama")
	c := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/sama")
	c.Dir = root
	if text, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/sama: %w\n%s", err, text)
	}
	return Program(path), nil
}

// Use returns the program that was named or, where none was, builds that of the
// module around the current folder into dir.
func Use(ctx context.Context, named, dir string) (Program, error) {
	if named != "" {
		return Program(named), nil
	}
	root, err := Root(".")
	if err != nil {
		return "", err
	}
	return Build(ctx, root, dir)
}

// Root returns the folder of the module that holds dir: the nearest one upward
// with a go.mod.
func Root(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if filepath.Dir(at) == at {
			return "", fmt.Errorf("no go.mod in %s or above; run this inside the repository", dir)
		}
		at = filepath.Dir(at)
	}
}

// Resolved is a finished run.
type Resolved struct {
	Usage
	Summary Summary
	Dir     string // the run directory
	Bytes   int64  // of all its files
}

// Summary is what `sama resolve --json` says of a run, as far as it is used here.
type Summary struct {
	Records        int64         `json:"records"`
	Identities     int64         `json:"identities"`
	CandidatePairs int64         `json:"candidate_pairs"`
	Edges          int64         `json:"edges"`
	Rejects        int64         `json:"rejects"`
	Threshold      run.Threshold `json:"threshold"`
	Quality        *run.Quality  `json:"quality"` // the run's own expectation, if it has one
	Warnings       []string      `json:"warnings"`
}

// Resolve runs `sama resolve` over a set's input into the directory out, with
// no configuration, and further flags if there are any.
func (p Program) Resolve(ctx context.Context, s Set, out string, flags ...string) (Resolved, error) {
	line := append([]string{string(p), "resolve"}, s.Inputs...)
	line = append(append(line, "--out", out, "--quiet", "--json"), flags...)
	text, usage, err := Process(ctx, line...)
	if err != nil {
		return Resolved{}, fmt.Errorf("set %s: %w", s.Name, err)
	}
	r := Resolved{Usage: usage}
	if err := json.Unmarshal(text, &r.Summary); err != nil {
		return r, fmt.Errorf("set %s: the summary of sama resolve: %w", s.Name, err)
	}
	if r.Dir, err = filepath.EvalSymlinks(filepath.Join(out, "current")); err != nil {
		return r, fmt.Errorf("set %s: %w", s.Name, err)
	}
	r.Bytes, err = bytesUnder(r.Dir)
	return r, err
}

// bytesUnder sums the sizes of all files under a folder.
func bytesUnder(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
