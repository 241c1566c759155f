package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"sama/benchmarks/measure"
)

// row is what was measured at one size.
type row struct {
	Set       string  `json:"set"`
	Records   int64   `json:"records"`
	Wall      float64 `json:"wall_s"`
	CPU       float64 `json:"cpu_s"`
	Peak      int64   `json:"peak_bytes"`
	Pairs     int64   `json:"candidate_pairs"`
	Bytes     int64   `json:"bytes_written"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`

	ReadWall float64 `json:"generic_reader_wall_s"`
	ReadCPU  float64 `json:"generic_reader_cpu_s"`
}

// measure runs sama and the plain reader over one set, in turn, and returns the
// median of each figure.
func (o *options) measure(ctx context.Context, program measure.Program, set measure.Set, out string) (row, error) {
	var flags []string
	if o.workers > 0 {
		flags = []string{"--workers", fmt.Sprint(o.workers)}
	}
	var runs []row
	for i := range o.runs {
		reader, rows, err := readerUsage(ctx, set.Inputs)
		if err != nil {
			return row{}, err
		}
		done, err := program.Resolve(ctx, set, out, flags...)
		if err != nil {
			return row{}, err
		}
		if done.Summary.Records+done.Summary.Rejects < rows {
			return row{}, fmt.Errorf("set %s: sama tells of %d records, the files hold %d", set.Name, done.Summary.Records, rows)
		}
		r := row{Set: set.Name, Records: rows, ReadWall: reader.Wall.Seconds(), ReadCPU: reader.CPU.Seconds()}
		r.Wall, r.CPU, r.Peak = done.Wall.Seconds(), done.CPU.Seconds(), done.Peak
		r.Pairs, r.Bytes = done.Summary.CandidatePairs, done.Bytes
		if i == 0 {
			truth, err := measure.ReadTruth(set.Truth)
			if err != nil {
				return row{}, err
			}
			score, err := truth.Score(done.Dir)
			if err != nil {
				return row{}, err
			}
			r.Precision, r.Recall = score.Pairwise.Precision(), score.Pairwise.Recall()
		}
		runs = append(runs, r)
		if err := os.RemoveAll(out); err != nil {
			return row{}, err
		}
	}
	return median(runs), nil
}

// readerUsage is what the plain reader takes for the files, in a process of its
// own, and the number of rows that it saw.
func readerUsage(ctx context.Context, files []string) (measure.Usage, int64, error) {
	self, err := os.Executable()
	if err != nil {
		return measure.Usage{}, 0, err
	}
	text, usage, err := measure.Process(ctx, append([]string{self, readerWord}, files...)...)
	if err != nil {
		return usage, 0, err
	}
	var rows int64
	if err := json.Unmarshal(text, &rows); err != nil {
		return usage, 0, fmt.Errorf("the plain reader: %w", err)
	}
	return usage, rows, nil
}

// median returns the median of each time and size; what does not vary is that
// of the first run.
func median(runs []row) row {
	m := runs[0]
	for _, field := range []func(*row) *float64{
		func(r *row) *float64 { return &r.Wall },
		func(r *row) *float64 { return &r.CPU },
		func(r *row) *float64 { return &r.ReadWall },
		func(r *row) *float64 { return &r.ReadCPU },
	} {
		var values []float64
		for i := range runs {
			values = append(values, *field(&runs[i]))
		}
		slices.Sort(values)
		*field(&m) = values[len(values)/2]
	}
	var peaks []int64
	for i := range runs {
		peaks = append(peaks, runs[i].Peak)
	}
	slices.Sort(peaks)
	m.Peak = peaks[len(peaks)/2]
	return m
}

func printJSON(w io.Writer, rows []row) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

func printTable(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "records\twall s\tCPU s\tpeak MiB\tB/record\tpairs\tpairs/record\tMiB written\tP\tR\treader wall s\tCPU s\twall ratio\tCPU ratio\t")
	for i := range rows {
		r := &rows[i]
		n := float64(r.Records)
		fmt.Fprintf(t, "%d\t%.2f\t%.2f\t%d\t%.0f\t%d\t%.1f\t%d\t%.4f\t%.4f\t%.2f\t%.2f\t%.2f\t%.2f\t\n",
			r.Records, r.Wall, r.CPU, r.Peak>>20, float64(r.Peak)/n, r.Pairs, float64(r.Pairs)/n, r.Bytes>>20, r.Precision, r.Recall,
			r.ReadWall, r.ReadCPU, r.Wall/r.ReadWall, r.CPU/r.ReadCPU)
	}
	return t.Flush()
}
