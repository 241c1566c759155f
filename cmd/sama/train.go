package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sama/ingest"
	"sama/match/comparison"
	"sama/record"

	"github.com/spf13/cobra"
)

func (c *cli) trainCommand() *cobra.Command {
	o := new(options)
	var target, labels string
	cmd := &cobra.Command{
		Use:   "train [FILES…] --out model.json",
		Short: "Learn a model and save it as JSON",
		Long: `Does the part of the run up to the threshold and saves the model: the probability of every level
among matches (m) and among each kind of non-match (u), the shares of the classes, how training
went, and the threshold. resolve uses it with --model, so that weights stay as they are while the
data changes.

--labels names pairs that somebody has judged: columns a and b with record keys (source:record_id)
and match (1 or 0, true or false, yes or no). A pair that is named twice counts once; named as a
match and as none it is an error. The m probabilities are then those of the labelled matches, the
more so the more of them there are.`,
		Example: `  sama train crm.parquet webshop.csv.gz --out model.json
  sama train --config sama.yaml --labels judged.csv --out model.json
  sama resolve --config sama.yaml --model model.json --out customers`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.train(cmd.Context(), o, args, target, labels)
		},
	}
	cmd.Flags().StringVarP(&target, "out", "o", "", "`file` to write the model to")
	cmd.Flags().StringVar(&labels, "labels", "", "`file` with judged pairs")
	o.flags(cmd, "config", "key", "threshold", "workers", "memory", "max-rejects", "quiet", "json")
	return cmd
}

// train learns and saves a model.
func (c *cli) train(ctx context.Context, o *options, files []string, target, labels string) error {
	if err := trainProblem(target, labels); err != nil {
		return err
	}
	j, err := c.newJob(o, files)
	if err != nil {
		return err
	}
	if j.saved != nil && labels == "" {
		return &usageError{j.conf.ErrorAt("names a saved model, so there is nothing to learn; take it out, or give --labels to learn from", "model", "file")}
	}
	line := slices.Clone(trainLine)
	if labels != "" {
		learn := step{"labels", "pairs", func(j *job, ctx context.Context) (int64, error) { return j.learnFromLabels(ctx, labels) }}
		line = slices.Insert(line, slices.IndexFunc(line, func(s step) bool { return s.name == "score" }), learn)
	}
	if err := j.run(ctx, line); err != nil {
		return err
	}
	text, err := modelJSON(j.model)
	if err != nil {
		return err
	}
	if err := replaceFile(target, text); err != nil {
		return err
	}
	if o.json {
		return printJSON(c.stdout, j.model.Training)
	}
	j.printTraining(target)
	return nil
}

// trainProblem probes the files of train before any work is done.
func trainProblem(target, labels string) error {
	if target == "" {
		return usagef("train: no output; name the file to write with --out model.json")
	}
	if info, err := os.Stat(target); err == nil && info.IsDir() {
		return usagef("--out %s: it is a directory; name the file to write, such as %s", target, filepath.Join(target, "model.json"))
	}
	if err := writable(filepath.Dir(target)); err != nil {
		return fmt.Errorf("--out %s: %w", target, err)
	}
	if labels != "" {
		if _, err := os.Stat(labels); err != nil {
			return usagef("--labels %s: %w", labels, cause(err))
		}
	}
	return nil
}

// replaceFile writes a file in one step: whoever reads it sees the old text or
// the new one.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".sama-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	return nil
}

// printTraining says how training went.
func (j *job) printTraining(target string) {
	t := &j.model.Training
	w := j.stdout
	fmt.Fprintf(w, "Trained on %s: about %s are matches.\n", plural(t.Pairs, "pair", "pairs"), count(int64(t.Matches+0.5)))
	if t.Converged {
		fmt.Fprintf(w, "Converged after %s.\n", plural(t.Iterations, "iteration", "iterations"))
	}
	fmt.Fprintf(w, "Threshold %s bits, probability %s (%s).\n", bits(j.cut.Bits()), percent(j.cut.Probability()), whyThreshold[j.chosen])
	for _, x := range j.warnings() {
		fmt.Fprintf(w, "Note %s\n", printable(x))
	}
	fmt.Fprintf(w, "Saved as %s; use it with sama resolve --model %s\n", target, target)
}

// labelStrength is how many labelled matches the probabilities learned without
// labels are worth beside the labelled ones.
const labelStrength = 20

// judged is a pair with a person's verdict.
type judged struct {
	record.Pair
	match bool
}

// learnFromLabels replaces the m probabilities of the model by those of the
// labelled matches. Of a comparison's labelled matches n that have evidence, n_l
// are at level l:
//
//	m_l = (n_l + labelStrength · m_l before) / (n + labelStrength)
func (j *job) learnFromLabels(ctx context.Context, file string) (int64, error) {
	pairs, err := j.readLabels(ctx, file)
	if err != nil {
		return 0, err
	}
	var matches []record.Pair
	for _, p := range pairs {
		if p.match {
			matches = append(matches, p.Pair)
		}
	}
	if len(matches) == 0 {
		return 0, usagef("%s: no pair is labelled a match; there is nothing to learn from", file)
	}
	vectors := make([]comparison.Vector, len(matches))
	j.plan.Compare(comparison.NewScratch(), matches, vectors)
	for c := range j.model.Comparisons {
		levels := j.model.Comparisons[c].Levels
		counts, n := make([]float64, len(levels)), 0.0
		for _, v := range vectors {
			if l := v[c]; l > 0 {
				counts[l]++
				n++
			}
		}
		for l := 1; l < len(levels); l++ {
			levels[l].M = (counts[l] + labelStrength*levels[l].M) / (n + labelStrength)
			levels[l].Matches += counts[l]
			levels[l].Untrained = levels[l].Untrained && counts[l] == 0
		}
	}
	j.model.Method += ", labels"
	j.weights = j.plan.Compile(j.model)
	return int64(len(pairs)), nil
}

// readLabels reads judged pairs of records of the table.
func (j *job) readLabels(ctx context.Context, file string) ([]judged, error) {
	r, err := readColumns(ctx, file)
	if err != nil {
		return nil, err
	}
	var columns [3]*ingest.RawColumn
	for i, names := range [][]string{{"a", "keya", "recorda", "left"}, {"b", "keyb", "recordb", "right"}, {"match", "label", "same", "ismatch"}} {
		if columns[i], err = findColumn(r, "", "", names); err != nil {
			return nil, err
		}
		if columns[i] == nil {
			return nil, usagef("%s: no column %s; want columns a and b with record keys and match (its columns are %s)", file, names[0], joinComma(columnsOf(r)))
		}
	}
	type label struct {
		row   int
		match bool
	}
	var pairs []judged
	first := make(map[record.Pair]label) // as it is named first
	var contradictions []error
	for row := range r.Rows {
		cell := func(c *ingest.RawColumn) string { return strings.TrimSpace(c.Values.At(c.Codes[row])) }
		p, err := j.judgedPair(cell(columns[0]), cell(columns[1]), cell(columns[2]))
		if err != nil {
			_, at := r.Where(row)
			return nil, usagef("%s, row %d: %w", file, at, err)
		}
		before, known := first[p.Pair]
		switch {
		case !known:
			first[p.Pair] = label{row, p.match}
			pairs = append(pairs, p)
		case before.match != p.match:
			_, one := r.Where(before.row)
			_, other := r.Where(row)
			contradictions = append(contradictions, fmt.Errorf("%s, rows %d and %d: %s and %s are labelled a match and no match; keep one of the two",
				file, one, other, printable(j.table.Key(p.A).String()), printable(j.table.Key(p.B).String())))
		}
	}
	if err := errors.Join(contradictions...); err != nil {
		return nil, &usageError{err}
	}
	return pairs, nil
}

func (j *job) judgedPair(a, b, verdict string) (judged, error) {
	var p judged
	for _, end := range []struct {
		key string
		to  *uint32
	}{{a, &p.A}, {b, &p.B}} {
		k, err := record.ParseKey(end.key)
		if err != nil {
			return p, err
		}
		n, ok := j.table.Find(k)
		if !ok {
			return p, fmt.Errorf("no record %s among the inputs", printable(end.key))
		}
		*end.to = n
	}
	if p.A == p.B {
		return p, fmt.Errorf("record %s is paired with itself", printable(a))
	}
	if p.A > p.B {
		p.A, p.B = p.B, p.A
	}
	switch strings.ToLower(verdict) {
	case "1", "true", "yes", "match", "same", "1.0":
		p.match = true
	case "0", "false", "no", "different", "not same", "0.0":
	default:
		return p, fmt.Errorf("match is %q; want 1 or 0, true or false, yes or no", printable(verdict))
	}
	return p, nil
}
