package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sama/cmd/sama/internal/config"
	"sama/ingest"
	"sama/record"
	"sama/run"
)

// past is an earlier run with its records read and prepared again, so that
// pairs are weighed by the same plan and model as in the run itself.
type past struct {
	*job
	run     *run.Run
	members *run.Members
	edges   []record.Edge // by the numbers of members
	found   []string      // edge → the blocking rule that found it
	changed []string      // inputs that are not as they were
}

// pastRun finds the run directory: the one named, or the only output directory
// in the current folder.
func pastRun(out string) (*run.Run, error) {
	if out != "" {
		r, err := run.Open(out)
		if errors.Is(err, run.ErrNoRun) {
			return nil, &usageError{err}
		}
		return r, err
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(e.Name(), "current", "run.json")); err == nil {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return nil, usagef("which run? There is none in this folder; name the output directory of sama resolve with --out DIR")
	case 1:
		return run.Open(found[0])
	}
	return nil, usagef("which run? This folder has %s; name one with --out DIR", joinComma(found))
}

// reopen opens a run and prepares it.
func (c *cli) reopen(ctx context.Context, o *options) (*past, error) {
	p, err := c.openPast(o)
	if err != nil {
		return nil, err
	}
	return p, p.prepare(ctx)
}

// openPast reads what a run says by itself: its members and edges.
func (c *cli) openPast(o *options) (*past, error) {
	r, err := pastRun(o.out)
	if err != nil {
		return nil, err
	}
	p := &past{job: &job{cli: c, options: o, conf: &config.File{}}, run: r, changed: []string{}}
	p.cut = record.WeightOfBits(r.Info.Threshold.Bits)
	if p.members, err = r.Members(); err != nil {
		return nil, err
	}
	p.edges, p.found, err = r.Edges(p.members)
	return p, err
}

// prepare reads the inputs of the run again and prepares what the run prepared,
// by the run's own configuration and model.
func (p *past) prepare(ctx context.Context) error {
	name := p.run.File("sama.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("the run's configuration: %w", err)
	}
	conf, err := config.Parse(name, text)
	if err != nil {
		return err
	}
	conf.Model.File = p.run.File("model.json")
	j := &job{cli: p.cli, options: p.options, conf: conf, cut: p.cut, inputs: pastInputs(&conf.Config, p.run.Info.Inputs)}
	j.maxRejects = 1
	j.progress = p.newProgress(!isTerminal(p.stderr) || p.quiet)
	if err := j.run(ctx, initLine); err != nil {
		return fmt.Errorf("reading the run's inputs again: %w", err)
	}
	if j.constraints, err = j.hardConstraints(); err != nil {
		return err
	}
	j.weights = j.plan.Compile(j.model)
	p.job = j
	p.changed = changedInputs(p.run.Info.Inputs, j.files)
	return nil
}

// pastInputs are the inputs of a run as they are to be read again.
func pastInputs(conf *config.Config, files []run.Input) []ingest.Input {
	if len(conf.Inputs) > 0 {
		return inputsOf(conf, nil)
	}
	sources := make(map[string][]string) // path → sources
	for _, f := range files {
		sources[f.Path] = append(sources[f.Path], f.Source)
	}
	var inputs []ingest.Input
	for _, f := range files {
		if len(sources[f.Path]) > 1 {
			// A source column had split it; it will again.
			if f.Source == sources[f.Path][0] {
				inputs = append(inputs, ingest.Input{Paths: []string{f.Path}})
			}
			continue
		}
		if i := slices.IndexFunc(inputs, func(in ingest.Input) bool { return in.Source == f.Source }); i >= 0 {
			inputs[i].Paths = append(inputs[i].Paths, f.Path)
			continue
		}
		inputs = append(inputs, ingest.Input{Paths: []string{f.Path}, Source: f.Source})
	}
	return inputs
}

// changedInputs names the files whose bytes differ from those of the run.
func changedInputs(then, now []run.Input) []string {
	hashes := make(map[string]string)
	for _, f := range then {
		hashes[f.Path] = f.SHA256
	}
	changed := []string{}
	for _, f := range now {
		if h, ok := hashes[f.Path]; (!ok || h != f.SHA256) && !slices.Contains(changed, f.Path) {
			changed = append(changed, f.Path)
		}
	}
	return changed
}

// warnChanged says on stderr that inputs are not as they were in the run.
func (p *past) warnChanged() {
	if len(p.changed) > 0 {
		fmt.Fprintf(p.stderr, "sama: note: %s changed since the run; values and weights are those of now, identities those of the run. Resolve again to bring them together.\n", joinComma(p.changed))
	}
}

// record returns the number of a record in the table and in the members.
func (p *past) record(key string) (inTable, inMembers uint32, err error) {
	k, err := record.ParseKey(key)
	if err != nil {
		return 0, 0, &usageError{err}
	}
	m, ok := p.members.Find(k)
	if !ok {
		hint := fmt.Sprintf("the run has %s", joinComma(p.members.Sources))
		if slices.Contains(p.members.Sources, k.Source) {
			hint = fmt.Sprintf("source %s has no such record id", k.Source)
		}
		return 0, 0, usagef("no record %s in run %s: %s", printable(key), p.run.Info.ID, hint)
	}
	t, ok := p.table.Find(k)
	if !ok {
		return 0, 0, fmt.Errorf("record %s is in the run, but no longer in its inputs; resolve again", printable(key))
	}
	return t, m, nil
}

// edge returns the stored edge between two members, if there is one.
func (p *past) edge(a, b uint32) (weight record.Weight, rule string, ok bool) {
	want := record.Pair{A: min(a, b), B: max(a, b)}
	i, ok := slices.BinarySearchFunc(p.edges, want, func(e record.Edge, w record.Pair) int {
		if e.A != w.A {
			return int(e.A) - int(w.A)
		}
		return int(e.B) - int(w.B)
	})
	if !ok {
		return 0, "", false
	}
	return p.edges[i].Weight, p.found[i], true
}
