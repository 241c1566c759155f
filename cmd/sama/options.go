package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"sama/cmd/sama/internal/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// options are the flags of the commands that read exports. A flag means the
// same in every command that has it.
type options struct {
	out       string
	config    string
	keys      []string
	model     string
	threshold float64
	state     string
	forget    bool
	relearn   bool

	deltaFlags, deletedFlags, deletesFlags, failIf []string

	workers int
	memory  byteSize

	dryRun     bool
	arrow      bool
	maxRejects float64
	json       bool
	quiet      bool

	changed func(flag string) bool
}

// flags declares the flags of that name on a command.
func (o *options) flags(cmd *cobra.Command, names ...string) {
	f := cmd.Flags()
	declare := map[string]func(){
		"out":    func() { f.StringVarP(&o.out, "out", "o", "", "output `directory`, made if it is missing") },
		"config": func() { f.StringVarP(&o.config, "config", "c", "", "configuration `file` (see sama init)") },
		"key": func() {
			f.StringArrayVarP(&o.keys, "key", "k", nil, "`column` that names the records; source=column for one source")
		},
		"model": func() { f.StringVarP(&o.model, "model", "m", "", "model.json `file` to use instead of training") },
		"delta": func() {
			f.StringArrayVar(&o.deltaFlags, "delta", nil, "`source` whose files hold only what changed since the previous run; repeatable")
		},
		"deleted": func() {
			f.StringArrayVar(&o.deletedFlags, "deleted", nil, "`source=column` that marks the records that are gone from a delta source; repeatable")
		},
		"deletes": func() {
			f.StringArrayVar(&o.deletesFlags, "deletes", nil, "`source=file` of the keys of records that are gone from a delta source; repeatable")
		},
		"fail-if": func() { f.StringArrayVar(&o.failIf, "fail-if", nil, guardHelp) },
		"state": func() {
			f.StringVar(&o.state, "state", "", "state database `file` (default: state.db in the output directory)")
		},
		"relearn": func() {
			f.BoolVar(&o.relearn, "relearn", false, "choose blocking rules, model and threshold anew instead of going on with those of the previous run")
		},
		"forget-decisions": func() {
			f.BoolVar(&o.forget, "forget-decisions", false, "go on although decisions that the current run knew are lost")
		},
		"dry-run": func() {
			f.BoolVarP(&o.dryRun, "dry-run", "n", false, "say what would be done (mapping, rules and pair counts of a run); change nothing")
		},
		"arrow": func() { f.BoolVar(&o.arrow, "arrow", false, "write members and golden records as Arrow files too") },
		"json":  func() { f.BoolVar(&o.json, "json", false, "print JSON on stdout") },
		"quiet": func() { f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress") },
		"threshold": func() {
			f.Float64VarP(&o.threshold, "threshold", "t", 0, "`probability` from which on a pair speaks for joining (default: chosen by the model)")
		},
		"workers": func() { f.IntVarP(&o.workers, "workers", "w", runtime.GOMAXPROCS(0), "`number` of threads at work") },
		"memory": func() {
			f.Var(&o.memory, "memory", "`size` such as 4GiB that the run tries to stay within, by freeing memory more often; it does not fail where the records need more (default: none)")
		},
		"max-rejects": func() {
			f.Float64Var(&o.maxRejects, "max-rejects", config.DefaultMaxRejects, "`share` of rows that may be rejected")
		},
	}
	for _, name := range names {
		declare[name]()
	}
	o.changed = func(flag string) bool { return f.Changed(flag) }
}

// validate returns everything that is wrong with the flags.
func (o *options) validate() error {
	var errs []error
	if o.changed("threshold") && !(o.threshold > 0 && o.threshold < 1) {
		errs = append(errs, fmt.Errorf("--threshold %v: want a probability between 0 and 1, such as 0.9", o.threshold))
	}
	if o.changed("workers") && o.workers < 1 {
		errs = append(errs, fmt.Errorf("--workers %d: want at least 1", o.workers))
	}
	if o.changed("max-rejects") && !(o.maxRejects >= 0 && o.maxRejects <= 1) {
		errs = append(errs, fmt.Errorf("--max-rejects %v: want a share between 0 and 1, such as 0.05", o.maxRejects))
	}
	if err := errors.Join(errs...); err != nil {
		return &usageError{err}
	}
	return nil
}

// apply sets the limits that concern the whole process.
func (o *options) apply() {
	if o.memory > 0 {
		debug.SetMemoryLimit(int64(o.memory))
	}
}

// writable reports whether files can be made in a directory. The file that it
// makes has a fixed name, so that what a killed process left is removed by the
// next one. Several processes may try at the same time: then one file will do.
func writable(dir string) error {
	name := filepath.Join(dir, ".sama-writable")
	// Whether it can be removed shows below.
	_ = os.Remove(name)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(name))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s cannot be written: %w", dir, cause(err))
	}
	return nil
}

// cause drops the operation and path that the caller's message has already.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// outProblem probes the output directory before any work is done, without
// leaving anything behind: the nearest folder that exists must be writable.
func outProblem(out string) error {
	if out == "" {
		return usagef("no output directory; name one with --out DIR")
	}
	if _, err := os.Stat(filepath.Join(out, "run.json")); err == nil {
		return usagef("--out %s: it is a run; name the output directory that holds the runs", out)
	}
	dir := filepath.Clean(out)
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return usagef("--out %s: %s is a file; name a directory", out, dir)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("--out %s: %w", out, cause(err))
		}
		dir = filepath.Dir(dir)
	}
	if err := writable(dir); err != nil {
		return fmt.Errorf("--out %s: %w; name a directory that can be written", out, err)
	}
	return nil
}

// byteSize is a number of bytes given as 512MiB, 4G or 1000000.
type byteSize int64

var _ pflag.Value = (*byteSize)(nil)

// sizeUnits are the suffixes of a size; K, M, G and T alone are binary.
var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1},
}

// Set reads a size.
func (b *byteSize) Set(s string) error {
	text, factor := strings.ToLower(strings.TrimSpace(s)), 1.0
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			text, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	const least = 16 << 20
	if err != nil || !(n*factor >= least && n*factor < 1<<62) {
		return fmt.Errorf("want a size of at least 16MiB, such as 512MiB or 4GiB")
	}
	*b = byteSize(n * factor)
	return nil
}

// String writes the size; "" is no limit.
func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return size(int64(*b))
}

// Type names the value in help texts.
func (b *byteSize) Type() string { return "size" }
