package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sama/record"
	"sama/run"
	"sama/serve/store"
)

// stateName is the state database in an output directory.
const stateName = "state.db"

// place finds the output directory, "" if only the state is named, and the
// state database.
func (d *deciding) place() (out, state string, err error) {
	if d.out == "" && d.state == "" {
		r, err := pastRun("")
		if err != nil {
			return "", "", err
		}
		// The run is OUT/runs/ID.
		out = filepath.Dir(filepath.Dir(r.Path))
		return out, filepath.Join(out, stateName), nil
	}
	if d.state != "" {
		return d.out, d.state, nil
	}
	if _, err := os.Stat(filepath.Join(d.out, "run.json")); err == nil {
		return "", "", usagef("--out %s: that is one run; decisions are kept for all runs: name the output directory it is in", d.out)
	}
	return d.out, filepath.Join(d.out, stateName), nil
}

// open opens the state, making it and its folder if they are missing.
func (d *deciding) open(ctx context.Context) (s *store.Store, out string, err error) {
	out, state, err := d.place()
	if err != nil {
		return nil, "", err
	}
	if d.state == "" {
		if err := outProblem(out); err != nil {
			return nil, "", err
		}
		if err := os.MkdirAll(out, 0o777); err != nil {
			return nil, "", fmt.Errorf("--out %s: %w", out, cause(err))
		}
	}
	s, err = store.Open(ctx, state, store.Options{Now: d.now})
	return s, out, err
}

// openIn is open for what only a server asks for: an output directory that is
// not there is mistyped. A decision may come before the first run.
func (d *deciding) openIn(ctx context.Context) (*store.Store, error) {
	if d.out != "" && d.state == "" {
		if _, err := os.Stat(d.out); errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("--out %s: there is no such directory; name one that sama resolve has made", d.out)
		}
	}
	s, _, err := d.open(ctx)
	return s, err
}

// openExisting opens the state; it is nil if the output directory has none.
func (d *deciding) openExisting(ctx context.Context) (*store.Store, error) {
	out, state, err := d.place()
	if err != nil {
		return nil, err
	}
	s, err := store.OpenExisting(ctx, state, store.Options{Now: d.now})
	if !errors.Is(err, store.ErrNoState) {
		return s, err
	}
	if d.state != "" {
		return nil, usagef("--state %s: there is no such file", state)
	}
	if _, err := os.Stat(out); err != nil {
		return nil, usagef("--out %s: %w", out, cause(err))
	}
	return nil, nil
}

// maxUnknown is how many keys that no record has are named.
const maxUnknown = 10

// unknownKeys says which keys no record of the current run has. A key may be
// ahead of its record or behind it; it may also be mistyped.
func unknownKeys(out string, keys []record.Key) []string {
	if out == "" {
		return nil
	}
	r, err := run.Open(out)
	if errors.Is(err, run.ErrNoRun) {
		return []string{fmt.Sprintf("%s has no run yet, so that nobody knows whether the keys are those of records", out)}
	}
	var m *run.Members
	if err == nil {
		m, err = r.Members()
	}
	if err != nil {
		return []string{fmt.Sprintf("the current run cannot be read, so that nobody knows whether the keys are those of records: %v", err)}
	}
	var notes []string
	unknown := 0
	for _, k := range keys {
		if _, ok := m.Find(k); ok {
			continue
		}
		if unknown++; unknown > maxUnknown {
			continue
		}
		if !slices.Contains(m.Sources, k.Source) {
			notes = append(notes, fmt.Sprintf("no record of the current run has key %s: it has no source %s, only %s; the decision waits for it", printable(k.String()), printable(k.Source), joinComma(m.Sources)))
			continue
		}
		notes = append(notes, fmt.Sprintf("no record of the current run has key %s; the decision waits for it", printable(k.String())))
	}
	if more := unknown - maxUnknown; more > 0 {
		notes = append(notes, fmt.Sprintf("and %s that no record has", plural(more, "more key", "more keys")))
	}
	return notes
}

// keysOf returns the keys of decisions, sorted, each once.
func keysOf(list []store.Decision) []record.Key {
	keys := make([]record.Key, 0, 2*len(list))
	for i := range list {
		keys = append(keys, list[i].A, list[i].B)
	}
	slices.SortFunc(keys, record.Key.Compare)
	return slices.Compact(keys)
}
