package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sama/cmd/sama/internal/config"
	"sama/match"
	"sama/record"
	"sama/run"
	"sama/serve/store"
)

// past is an earlier run with its records read and prepared again, so that
// pairs are weighed by the same plan and model as in the run itself.
type past struct {
	*job
	run     *run.Run
	members *run.Members
	edges   []record.Edge // by the numbers of members
	found   []string      // edge → the blocking rule that found it
	standIn []uint32      // record of the table → the one that takes part in blocking for it
}

// pastRun finds the run directory: the one named, or the only output directory
// in the current folder.
func pastRun(out string) (*run.Run, error) {
	if out != "" {
		if _, err := os.Stat(filepath.Join(out, "run.json")); err == nil {
			// A run itself, which DIR/current names by a symbolic link.
			if real, err := filepath.EvalSymlinks(out); err == nil {
				out = real
			}
		}
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
	p := &past{job: &job{cli: c, options: o, conf: &config.File{}}, run: r}
	p.cut = record.WeightOfBits(r.Info.Threshold.Bits)
	if p.members, err = r.Members(); err != nil {
		return nil, err
	}
	p.edges, p.found, err = r.Edges(p.members)
	return p, err
}

// prepare takes the records that the run has kept and prepares what the run
// prepared, by the run's own configuration and model.
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
	j := &job{cli: p.cli, options: p.options, conf: conf, cut: p.cut}
	j.maxRejects = 1
	j.progress = p.newProgress(!isTerminal(p.stderr) || p.quiet)
	wrong := new(problems)
	if j.readModel(wrong); wrong.err() != nil {
		return wrong.err()
	}
	line := slices.DeleteFunc(lineTo("plan"), func(s step) bool { return s.name == "fold" })
	line[0].do = p.readKept
	if err := j.run(ctx, line); err != nil {
		return fmt.Errorf("reading the records of run %s: %w", p.run.Info.ID, err)
	}
	if !sameKeys(j.table, p.members) {
		return fmt.Errorf("run %s: the records of its sources are not those of its members; sama check %s says more", p.run.Info.ID, p.run.Path)
	}
	j.constraints = j.hardConstraints()
	j.weights = j.plan.Compile(j.model)
	p.job = j
	p.standIn = standIns(j.table.Len(), j.equals)
	if err := p.readDecisions(ctx); err != nil {
		// An archive may be read-only, which the database cannot bear.
		fmt.Fprintf(p.stderr, "sama: note: decisions are not looked at: %v\n", err)
	}
	return nil
}

// readKept is the first step of a run that is prepared again: its sources come
// from the run directory.
func (p *past) readKept(j *job, _ context.Context) (int64, error) {
	var rows int64
	for _, source := range p.members.Sources {
		t, err := p.run.SourceTable(source)
		if err != nil {
			return 0, err
		}
		j.raws = append(j.raws, rawOf(t))
		rows += int64(t.Rows)
	}
	return rows, nil
}

// sameKeys reports whether table and members have the same records.
func sameKeys(t *record.Table, m *run.Members) bool {
	if t.Len() != m.Len() {
		return false
	}
	for i := range uint32(m.Len()) {
		if t.Key(i) != m.Key(i) {
			return false
		}
	}
	return true
}

// readDecisions reads the decisions that were in force when the run began, as
// far as the state beside the runs still has them so.
func (p *past) readDecisions(ctx context.Context) error {
	s, err := store.OpenExisting(ctx, filepath.Join(filepath.Dir(filepath.Dir(p.run.Path)), stateName), store.Options{Now: p.job.now})
	if errors.Is(err, store.ErrNoState) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	all, err := s.Decisions(ctx, store.All)
	if err != nil {
		return err
	}
	start := p.run.Info.Started.Add(time.Second) // run.json has whole seconds
	p.obeyDecisions(slices.DeleteFunc(all, func(d store.Decision) bool {
		return d.Made.After(start) || !d.Revoked.IsZero() && d.Revoked.Before(start)
	}))
	p.constraints = p.constraints.Reconciled(p.table.Len())
	return nil
}

// standIns returns for each of n records the one that takes part in blocking
// for it: itself, or the first of many that are equal in all that is compared.
func standIns(n int, equals *match.Copies) []uint32 {
	of := make([]uint32, n)
	for i := range of {
		of[i] = uint32(i)
	}
	if equals != nil {
		for _, pair := range equals.Pairs {
			of[pair.B] = pair.A
		}
	}
	return of
}

// rulesOf returns the blocking rules that bring two records of the table
// together. One of many equal records is brought together with whatever the
// first of them is; equal is true where that is the same for both.
func (p *past) rulesOf(pair record.Pair) (rules []int, equal bool) {
	a, b := p.standIn[pair.A], p.standIn[pair.B]
	if a == b {
		return nil, true
	}
	return p.rules.FoundBy(record.Pair{A: min(a, b), B: max(a, b)}), false
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
	return m, m, nil
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
