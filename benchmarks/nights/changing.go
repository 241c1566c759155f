package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sama/benchmarks/measure"
	"sama/graph"
)

// line is one line of the table: a night, what became of identities in it and
// what it took.
type line struct {
	night   int
	now     *night
	keeping keeping
	events  map[string]int
	usage   measure.Usage
	first   *measured // a first run on the same files; nil if there was none
	faults  int
}

// measured is what a run took, in all and by stage.
type measured struct {
	measure.Usage
	stages map[string]float64 // seconds
}

// changingNights lets nights pass on which silos change.
func (w *world) changingNights(ctx context.Context) error {
	h := newHistory(w.faults)
	out := w.path("out")
	var decisions *decisions
	var changes []change
	extra := &extraTime{}
	var fixed []string
	fmt.Fprintln(w.stdout, w.heading())
	for i := range w.nights + 1 {
		if i > 0 {
			changes = w.silos.pass()
		}
		files, err := w.full()
		if err != nil {
			return err
		}
		done, err := w.resolve(ctx, out, append(files, fixed...)...)
		if err != nil {
			return fmt.Errorf("night %d: %w", i+1, err)
		}
		l := line{night: i + 1, usage: done.Usage, events: map[string]int{}}
		if l.now, err = h.read(out); err != nil {
			return err
		}
		l.keeping = h.look(l.now)
		for _, e := range l.now.events {
			l.events[e.kind]++
		}
		if decisions != nil {
			decisions.look(h, l.now, done)
		}
		w.check(ctx, i+1, out)
		if w.delta {
			if err := w.deltaNight(ctx, i, files, changes, fixed); err != nil {
				return err
			}
		}
		if w.firstEvery > 0 && i > 0 && (i-1)%w.firstEvery == 0 {
			if l.first, err = w.firstRun(ctx, append(files, fixed...)); err != nil {
				return err
			}
			extra.add(&l)
		}
		l.faults = w.faults.total()
		fmt.Fprintln(w.stdout, w.format(&l))
		if i == 0 && w.fixed {
			if fixed, err = w.fix(out); err != nil {
				return err
			}
		}
		if decisions, err = w.decide(ctx, h, decisions, i); err != nil {
			return err
		}
	}
	w.check(ctx, w.nights+1, out, "--all")
	extra.print(w.stdout)
	return nil
}

// fix keeps the configuration and the model of a run, and returns the flags that
// name them.
func (w *world) fix(out string) ([]string, error) {
	var flags []string
	for _, x := range []struct{ flag, name string }{{"--config", "sama.yaml"}, {"--model", "model.json"}} {
		text, err := os.ReadFile(filepath.Join(out, "current", x.name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(w.path(x.name), text, 0o666); err != nil {
			return nil, err
		}
		flags = append(flags, x.flag, w.path(x.name))
	}
	return flags, nil
}

// decide imports decisions after the first night, and revokes some half way.
func (w *world) decide(ctx context.Context, h *history, d *decisions, i int) (*decisions, error) {
	var err error
	switch {
	case w.options.decisions == 0:
	case i == 0:
		if d, err = w.drawDecisions(h); err != nil {
			return nil, err
		}
		err = d.bring(ctx, w)
	case i == w.nights/2:
		err = d.revoke(ctx, w)
	}
	return d, err
}

// deltaNight tells a second directory what changed and compares.
func (w *world) deltaNight(ctx context.Context, i int, full []string, changes []change, fixed []string) error {
	out, args := w.path("delta"), full
	if i > 0 {
		var err error
		if args, err = w.deltas(changes); err != nil {
			return err
		}
	}
	args = append(args, fixed...)
	// The decisions are those of the first directory.
	if w.options.decisions > 0 && i > 0 {
		args = append(args, "--state", filepath.Join(w.path("out"), "state.db"))
	}
	if _, err := w.resolve(ctx, out, args...); err != nil {
		return fmt.Errorf("night %d, by deltas: %w", i+1, err)
	}
	if i == w.nights {
		w.check(ctx, i+1, out, "--all")
	}
	// sama.yaml tells how a source is read, and the report how the run came about.
	return w.sameRun("delta", fmt.Sprintf("night %d", i+1), w.path("out"), out, "sama.yaml", "report.html")
}

// firstRun resolves the files in a fresh directory.
func (w *world) firstRun(ctx context.Context, files []string) (*measured, error) {
	out := w.path("fresh")
	done, err := w.resolve(ctx, out, files...)
	if err != nil {
		return nil, fmt.Errorf("a first run: %w", err)
	}
	info, err := infoOf(out)
	if err != nil {
		return nil, err
	}
	return &measured{done.Usage, stagesOf(info)}, os.RemoveAll(out)
}

// heading is the first line of the table.
func (w *world) heading() string {
	names := []string{"night", "records", "identities", "same", "kept %"}
	for _, k := range graph.EventKinds() {
		names = append(names, k.String())
	}
	names = append(names, "wall s", "CPU s", "MiB")
	if w.firstEvery > 0 {
		names = append(names, "first wall s", "CPU s", "wall ratio", "CPU ratio")
	}
	if w.options.decisions > 0 {
		names = append(names, "obeyed", "waiting", "contradictory")
	}
	return strings.Join(append(names, "faults"), "  ")
}

// format writes a line under the heading's words.
func (w *world) format(l *line) string {
	cells := []string{fmt.Sprint(l.night), fmt.Sprint(l.now.info.Counts.Records), fmt.Sprint(len(l.now.groups)), fmt.Sprint(l.keeping.same), "–"}
	if l.keeping.same > 0 {
		cells[4] = fmt.Sprintf("%.2f", 100*float64(l.keeping.kept)/float64(l.keeping.same))
	}
	for _, k := range graph.EventKinds() {
		cells = append(cells, fmt.Sprint(l.events[k.String()]))
	}
	cells = append(cells, fmt.Sprintf("%.2f", l.usage.Wall.Seconds()), fmt.Sprintf("%.2f", l.usage.CPU.Seconds()), fmt.Sprint(l.usage.Peak>>20))
	switch {
	case w.firstEvery > 0 && l.first != nil:
		cells = append(cells, fmt.Sprintf("%.2f", l.first.Wall.Seconds()), fmt.Sprintf("%.2f", l.first.CPU.Seconds()),
			fmt.Sprintf("%.2f", l.usage.Wall.Seconds()/l.first.Wall.Seconds()), fmt.Sprintf("%.2f", l.usage.CPU.Seconds()/l.first.CPU.Seconds()))
	case w.firstEvery > 0:
		cells = append(cells, "", "", "", "")
	}
	if w.options.decisions > 0 {
		d := l.now.info.Decisions
		cells = append(cells, fmt.Sprint(d.Same+d.NotSame), fmt.Sprint(d.Waiting), fmt.Sprint(d.Contradictory))
	}
	cells = append(cells, fmt.Sprint(l.faults))
	names := strings.Split(w.heading(), "  ")
	for i, name := range names {
		cells[i] = fmt.Sprintf("%*s", len([]rune(name)), cells[i])
	}
	return strings.Join(slices.Clip(cells), "  ")
}
