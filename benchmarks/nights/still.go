package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sama/run"
)

// sameNights resolves the same files night after night: nothing may happen.
// Golden records are compared byte by byte, all other files by the hashes that
// sama check verifies at the end.
func (w *world) sameNights(ctx context.Context) error {
	input, err := w.full()
	if err != nil {
		return err
	}
	h := newHistory(w.faults)
	out := w.path("out")
	var golden [sha256.Size]byte
	var before []run.File
	var took time.Duration
	identities := 0
	for i := range w.same + 1 {
		done, err := w.resolve(ctx, out, input...)
		if err != nil {
			return fmt.Errorf("night %d: %w", i+1, err)
		}
		took += done.Wall
		n, err := h.read(out)
		if err != nil {
			return err
		}
		h.look(n)
		text, err := os.ReadFile(filepath.Join(out, "current", "golden.parquet"))
		if err != nil {
			return err
		}
		switch sum := sha256.Sum256(text); {
		case i == 0:
			golden, identities = sum, len(n.groups)
		case len(n.events) > 0:
			h.fault("same", "%d events", len(n.events))
		case sum != golden:
			h.fault("same", "golden.parquet differs from that of the first night")
		}
		for _, f := range n.info.Files {
			// The first night has events, which the index has too, and the report names the
			// night before.
			apart := f.Name == "report.html" || i == 1 && (f.Name == "events.parquet" || f.Name == "index/identities.idx")
			if i > 0 && !apart && !slices.Contains(before, f) {
				h.fault("same", "%s differs from the night before", f.Name)
			}
		}
		before = n.info.Files
	}
	w.check(ctx, w.same+1, out, "--all")
	fmt.Fprintf(w.stdout, "%d nights of the same files after a first, %d identities, %.2f s a night\n", w.same, identities, took.Seconds()/float64(w.same+1))
	return nil
}

// layout is a way to give the same records to sama.
type layout struct {
	name    string
	shuffle bool
	split   bool
	reverse bool
	flags   []string
}

// layouts resolves two nights in several directories, each with files in
// another layout: the bytes must be the same.
func (w *world) layouts(ctx context.Context) error {
	all := []layout{
		{name: "as generated"},
		{name: "1 worker", flags: []string{"--workers", "1"}},
		{name: "3 workers", flags: []string{"--workers", "3"}},
		{name: "8 workers", flags: []string{"--workers", "8"}},
		{name: "memory 64MiB", flags: []string{"--memory", "64MiB"}},
		{name: "rows shuffled", shuffle: true},
		{name: "files split", split: true},
		{name: "files in reverse order", reverse: true},
		{name: "all of it", shuffle: true, split: true, reverse: true, flags: []string{"--workers", "5", "--memory", "64MiB"}},
	}
	for i := range 2 {
		if i > 0 {
			w.silos.pass()
		}
		for k := range all {
			x := &all[k]
			input, err := w.layOut(x, k)
			if err != nil {
				return err
			}
			if _, err := w.resolve(ctx, w.layoutDir(k), append(input, x.flags...)...); err != nil {
				return fmt.Errorf("night %d, %s: %w", i+1, x.name, err)
			}
			w.check(ctx, i+1, w.layoutDir(k))
			if err := w.sameRun("layouts", fmt.Sprintf("night %d, %s", i+1, x.name), w.layoutDir(0), w.layoutDir(k)); err != nil {
				return err
			}
		}
		info, err := infoOf(w.layoutDir(0))
		if err != nil {
			return err
		}
		fmt.Fprintf(w.stdout, "night %d: %d records, %d events, %d layouts\n", i+1, info.Counts.Records, info.Counts.Events, len(all))
	}
	return nil
}

func (w *world) layoutDir(k int) string { return w.path(fmt.Sprintf("layout%d", k)) }

// layOut writes the sources in a layout and returns what to give to sama.
func (w *world) layOut(l *layout, k int) ([]string, error) {
	var input []string
	for _, x := range w.silos.list {
		rows := slices.Clone(x.rows)
		if l.shuffle {
			w.silos.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
		path := w.path(fmt.Sprintf("files%d", k), x.name)
		if !l.split {
			path += ".csv"
			if err := x.write(path, rows); err != nil {
				return nil, err
			}
		}
		cuts := []int{0, len(rows) / 5, len(rows) / 2, len(rows)}
		for i := range cuts[1:] {
			if l.split {
				if err := x.write(filepath.Join(path, fmt.Sprintf("part%d.csv", 9-i)), rows[cuts[i]:cuts[i+1]]); err != nil {
					return nil, err
				}
			}
		}
		input = append(input, path)
	}
	if l.reverse {
		slices.Reverse(input)
	}
	return input, nil
}
