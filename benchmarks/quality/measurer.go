package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sama/benchmarks/generate"
	"sama/benchmarks/measure"
)

// tooEasy are columns that are left out: with them, some sets tell nothing.
var tooEasy = []string{"soc_sec_id"}

// row is what was measured on one set.
type row struct {
	Set       string  `json:"set"`
	Records   int     `json:"records"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	Figures
	Exact float64 `json:"exact"` // share of persons with exactly one, right identity

	Expected  *float64 `json:"expected_f1,omitempty"` // by the run itself
	Threshold float64  `json:"threshold_bits"`
	Pairs     int64    `json:"candidate_pairs"`
	Missing   int      `json:"missing_records"` // that the run rejected
	Wall      float64  `json:"wall_s"`
	CPU       float64  `json:"cpu_s"`
	Peak      int64    `json:"peak_bytes"`

	Floor  *Figures `json:"floor,omitempty"`
	Expert *Figures `json:"expert,omitempty"`
	Failed string   `json:"failed,omitempty"` // why there are no figures
}

// verdict compares the row with its floor.
func (r *row) verdict() string {
	switch {
	case r.Failed != "":
		return "failed"
	case r.Floor == nil:
		return "–"
	case r.F1 < r.Floor.F1 || r.BCubed < r.Floor.BCubed:
		return "below"
	}
	return "ok"
}

// reached reports whether no row failed or is below its floor.
func reached(rows []row) bool {
	for i := range rows {
		if v := rows[i].verdict(); v == "failed" || v == "below" {
			return false
		}
	}
	return true
}

// measurer runs sets.
type measurer struct {
	*options
	program  measure.Program
	tmp      string
	progress io.Writer
	runs     int // so far, to give each its folder
}

// sets returns what is to be measured.
func (m *measurer) sets(ctx context.Context) ([]measure.Set, error) {
	if m.generate == 0 {
		sets, err := measure.Sets(m.data, m.options.sets)
		sortSets(sets)
		return sets, err
	}
	var sets []measure.Set
	for i := range m.seeds {
		opt := generate.Options{Records: m.generate, Noise: m.noise, Seed: m.seed + uint64(i)}
		dir := filepath.Join(m.tmp, fmt.Sprintf("generated_%d_%s_seed%d", opt.Records, opt.Noise, opt.Seed))
		if _, err := generate.Run(ctx, opt, dir, nil); err != nil {
			return nil, err
		}
		set, err := measure.SetIn(dir)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// all measures every set as it is.
func (m *measurer) all(ctx context.Context, sets []measure.Set) ([]row, error) {
	var rows []row
	for _, s := range sets {
		r, err := m.one(ctx, s, measure.Change{})
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// one measures a set, changed as given. A run that fails is a row that says so;
// the error tells that measuring itself cannot go on.
func (m *measurer) one(ctx context.Context, s measure.Set, c measure.Change) (row, error) {
	m.runs++
	fmt.Fprintf(m.progress, "%s …\n", s.Name)
	r := row{Set: s.Name}
	if f := floorOf(s.Name); f != nil {
		r.Floor, r.Expert = &f.least, &f.expert
	}
	dir := filepath.Join(m.tmp, fmt.Sprint("run", m.runs))
	input := filepath.Join(dir, "input")
	if err := os.MkdirAll(input, 0o755); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	c.Drop = tooEasy
	changed, err := c.Apply(s, input)
	if err != nil {
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	done, err := m.program.Resolve(limited, changed, filepath.Join(dir, "out"))
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		r.Failed = fmt.Sprintf("not done after %s", m.timeout)
		return r, nil
	case err != nil:
		r.Failed = strings.ReplaceAll(err.Error(), "\n", "; ")
		return r, nil
	}
	truth, err := measure.ReadTruth(changed.Truth)
	if err != nil {
		return r, err
	}
	score, err := truth.Score(done.Dir)
	if err != nil {
		r.Failed = err.Error()
		return r, nil
	}
	r.fill(done, score)
	return r, nil
}

// fill notes what a run gave.
func (r *row) fill(done measure.Resolved, s measure.Score) {
	r.Records = s.Records
	r.Precision, r.Recall = s.Pairwise.Precision(), s.Pairwise.Recall()
	r.Figures = Figures{F1: s.Pairwise.F1(), BCubed: s.BCubed.F1()}
	r.Exact = s.Exact.Recall()
	r.Missing = s.Missing
	if q := done.Summary.Quality; q != nil {
		r.Expected = &q.F1
	}
	r.Threshold, r.Pairs = done.Summary.Threshold.Bits, done.Summary.CandidatePairs
	r.Wall, r.CPU, r.Peak = done.Wall.Seconds(), done.CPU.Seconds(), done.Peak
}
