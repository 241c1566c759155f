package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"sama/graph"
	"sama/ingest"
	"sama/match"
	"sama/record"
	"sama/run"
	"sama/serve/store"
)

// obey reads the stewards' decisions and makes constraints of those whose
// records are both there. Decisions on a record that is gone wait for it.
func (j *job) obey(ctx context.Context) (int64, error) {
	s, err := j.openState(ctx)
	if err != nil {
		return 0, err
	}
	if s == nil {
		return 0, j.decisionsLost(j.stateLocation())
	}
	defer s.Close()
	decided, err := s.Decisions(ctx, store.All)
	if err != nil {
		return 0, err
	}
	for _, d := range decided {
		j.obeyed.Last = max(j.obeyed.Last, d.ID)
	}
	if err := j.decisionsLost(j.stateLocation()); err != nil {
		return 0, err
	}
	decided = slices.DeleteFunc(decided, func(d store.Decision) bool { return !d.Active() })
	j.obeyed.SHA256 = store.Digest(decided)
	j.obeyDecisions(decided)
	j.activateCopies()
	return int64(len(decided)), nil
}

// decisionsLost returns an error if the state lacks decisions that the current
// run knew: nothing is ever deleted there, so it is not the state that it was.
func (j *job) decisionsLost(location string) error {
	current, err := run.Open(j.out)
	if err != nil || current.Info.Decisions.Last <= j.obeyed.Last || j.forget {
		return nil
	}
	return fmt.Errorf("%s has decisions up to #%d, the current run knew them up to #%d: decisions of stewards are lost. Restore the file, or name the right one with --state; to go on without them, say --forget-decisions",
		location, j.obeyed.Last, current.Info.Decisions.Last)
}

// obeyDecisions makes constraints of decisions.
func (j *job) obeyDecisions(decided []store.Decision) {
	j.decided = decided
	for _, d := range decided {
		a, okA := j.table.Find(d.A)
		b, okB := j.table.Find(d.B)
		if !okA || !okB {
			j.obeyed.Waiting++
			continue
		}
		pair := record.Pair{A: min(a, b), B: max(a, b)}
		if d.Kind == store.Same {
			j.constraints.Same = append(j.constraints.Same, pair)
		} else {
			j.constraints.NotSame = append(j.constraints.NotSame, pair)
		}
	}
}

// activateCopies lets the copies that decisions name take part in clustering:
// they may not simply go where the record goes that they are equal to.
func (j *job) activateCopies() {
	if len(j.copies) == 0 {
		return
	}
	named := make(map[uint32]bool)
	for _, list := range [][]record.Pair{j.constraints.Same, j.constraints.NotSame} {
		for _, p := range list {
			named[p.A], named[p.B] = true, true
		}
	}
	var active []match.Edge
	j.copies = slices.DeleteFunc(j.copies, func(e match.Edge) bool {
		if !named[e.B] {
			return false
		}
		active = append(active, e)
		return true
	})
	if len(active) == 0 {
		return
	}
	j.edges = append(j.edges, active...)
	match.SortEdges(j.edges)
	j.flat = flatten(j.edges)
}

// countDecisions tells the decisions that were obeyed from those that others
// contradict, and says which.
func (j *job) countDecisions() {
	broken := make(map[record.Pair]bool)
	for _, c := range j.contradictions {
		if c.Unique < 0 {
			broken[c.Pair] = true
		}
		j.conflicts = append(j.conflicts, j.conflict(c))
	}
	j.obeyed.Contradictory = int64(len(broken))
	j.obeyed.Same = int64(len(j.constraints.Same))
	j.obeyed.NotSame = int64(len(j.constraints.NotSame) - len(broken))
}

// conflict says in words what contradicts "same" decisions.
func (j *job) conflict(c graph.Contradiction) string {
	key := func(r uint32) string { return j.table.Key(r).String() }
	chain := key(c.Chain[0])
	for i, r := range c.Chain[1:] {
		chain += fmt.Sprintf(" = %s (%s)", key(r), j.decisionOf(store.Same, c.Chain[i], r))
	}
	if c.Unique < 0 {
		return fmt.Sprintf("decision %s, that %s and %s are not the same, is contradicted by decisions that they are: %s; revoke one of them with sama decide revoke",
			j.decisionOf(store.NotSame, c.Pair.A, c.Pair.B), key(c.Pair.A), key(c.Pair.B), chain)
	}
	return fmt.Sprintf("%s and %s differ in %s, which one identity has once, but are decided to be the same: %s",
		key(c.Pair.A), key(c.Pair.B), j.constraints.Unique[c.Unique].Name, chain)
}

// decisionOf names the decision on a pair by its number.
func (j *job) decisionOf(kind store.Kind, a, b uint32) string {
	x, y := j.table.Key(min(a, b)), j.table.Key(max(a, b))
	for _, d := range j.decided {
		if d.Kind == kind && (d.A == x && d.B == y || d.A == y && d.B == x) {
			return fmt.Sprintf("#%d", d.ID)
		}
	}
	return "?"
}

// identify gives every cluster its identity: the one that its records had in
// the previous run, or a new one.
func (j *job) identify(context.Context) (int64, error) {
	if err := j.lockOut(); err != nil {
		return 0, err
	}
	j.prints = run.Fingerprints(j.table, j.workers)
	past, err := run.Follow(j.out, j.table, j.prints, j.founded)
	if err != nil {
		return 0, err
	}
	j.past = past
	j.noteLostDeltas()
	j.identities, err = graph.Assign(j.clusters, &past.Graph, graph.Issuer{Run: past.Number, Seed: idSeed})
	if err != nil {
		return 0, fmt.Errorf("%w\nThe runs in %s do not fit together: sama check --all says what is wrong", err, j.out)
	}
	return int64(len(j.identities.IDs)), nil
}

// noteLostDeltas says which changes of delta sources are not among the records,
// because the run that read them is not the one that this one goes on from.
func (j *job) noteLostDeltas() {
	for _, r := range j.past.Later {
		for source := range j.deltas {
			if slices.ContainsFunc(r.Info.Inputs, func(in run.Input) bool { return in.Source == source && in.Mode != "" }) {
				j.foldNotes = append(j.foldNotes, ingest.Note{Source: source, Text: fmt.Sprintf("run %s, which is not current, read changes of this source that are not among its records now: send them again", r.Info.ID)})
			}
		}
	}
	slices.SortFunc(j.foldNotes, func(a, b ingest.Note) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Text, b.Text))
	})
}

// judge compares the finished run with the one before by the limits of
// --fail-if and reports whether it is to be held back.
func (j *job) judge(finished *run.Run) (bool, error) {
	two := &twoRuns{runs: [2]*run.Run{j.past.Previous, finished}}
	if err := two.read(); err != nil {
		return false, err
	}
	d, err := two.difference(0, j.guards)
	if err != nil {
		return false, err
	}
	j.heldBack = d.Exceeded
	return len(d.Exceeded) > 0, nil
}
