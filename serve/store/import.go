package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"sama/record"
)

// Line is a decision to import and the line that it comes from.
type Line struct {
	Number   int // for messages
	Decision Decision
	Err      error // why the line could not be read; nil if it could
}

// Problem is one line that cannot be imported.
type Problem struct {
	Line int
	Err  error
}

// ImportError says everything that kept an import from being done.
type ImportError struct{ Problems []Problem }

// Error says all of it, a line a problem.
func (e *ImportError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("line %d: %s", p.Line, strings.ReplaceAll(p.Err.Error(), "\n", "; ")))
	}
	return strings.Join(lines, "\n")
}

func (*ImportError) aboutState() {}

// Imported says what an import did.
type Imported struct {
	Recorded  []Decision // as recorded, in the order of the lines
	Unchanged int        // lines that the state had before, or the file twice
}

// Import records decisions in the order of their lines, all or none: if any
// cannot be recorded the error is an [*ImportError] that names every one. An
// active decision is treated as by Decide. A revoked one is history: it is
// recorded as it stands, unless the state has the very same.
func (s *Store) Import(ctx context.Context, lines []Line) (Imported, error) {
	var done Imported
	err := s.transact(ctx, "importing decisions into", func(t *txn) error {
		fresh, err := s.sift(ctx, t.tx, lines)
		if err != nil {
			return err
		}
		done.Recorded, done.Unchanged = fresh, len(lines)-len(fresh)
		if len(fresh) > 0 {
			if _, err := t.take(headDecisions, 1); err != nil {
				return err
			}
		}
		return s.insert(ctx, t.tx, fresh)
	})
	if err != nil {
		return Imported{}, err
	}
	return done, nil
}

// pairOf is what at most one active decision is about.
type pairOf struct{ a, b record.Key }

// known is an active decision and, if it comes from the file, its line.
type known struct {
	Decision
	line int
}

// sift returns the lines that are new, in order of keys, or an *ImportError.
func (s *Store) sift(ctx context.Context, tx *sql.Tx, lines []Line) ([]Decision, error) {
	before, err := readDecisions(ctx, tx, selectDecisions)
	if err != nil {
		return nil, err
	}
	active := make(map[pairOf]known, len(before)+len(lines))
	history := make(map[Decision]bool)
	for _, d := range before {
		if d.Active() {
			active[pairOf{d.A, d.B}] = known{Decision: d}
		} else {
			history[d.withoutID()] = true
		}
	}
	now := s.opt.Now()
	var fresh []Decision
	var problems []Problem
	for _, l := range lines {
		d, err := l.Decision, l.Err
		if err == nil {
			d, err = d.inOrder(now)
		}
		if err != nil {
			problems = append(problems, Problem{l.Number, err})
			continue
		}
		if !d.Active() {
			if d.ID = 0; !history[d] {
				history[d] = true
				fresh = append(fresh, d)
			}
			continue
		}
		old, ok := active[pairOf{d.A, d.B}]
		switch {
		case !ok:
			active[pairOf{d.A, d.B}] = known{d, l.Number}
			fresh = append(fresh, d)
		case old.Kind == d.Kind:
		case old.line > 0:
			problems = append(problems, Problem{l.Number, fmt.Errorf("%s in line %d; one of the two lines must go", old.what(), old.line)})
		default:
			problems = append(problems, Problem{l.Number, &OppositeError{old.Decision}})
		}
	}
	if len(problems) > 0 {
		return nil, &ImportError{problems}
	}
	return fresh, nil
}

// withoutID returns the decision as a file has it.
func (d Decision) withoutID() Decision {
	d.ID = 0
	return d
}

// insert gives ids and writes.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, fresh []Decision) (err error) {
	id, err := nextID(ctx, tx)
	if err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(ctx, insertDecision)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for i := range fresh {
		fresh[i].ID = id + int64(i)
		if _, err := stmt.ExecContext(ctx, fresh[i].row()...); err != nil {
			return err
		}
		s.fault("insert")
	}
	return nil
}
