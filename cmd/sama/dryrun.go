package main

import (
	"context"
	"fmt"
	"strings"

	"sama/ingest"
	"sama/match/blocking"
	"sama/record"
)

// plannedRun is what --dry-run shows, as --json prints it.
type plannedRun struct {
	Records int64            `json:"records"`
	Sources []plannedSource  `json:"sources"`
	Rules   []plannedRule    `json:"rules"`
	SplitBy []string         `json:"split_by"`
	Pairs   int64            `json:"candidate_pairs"` // distinct
	All     int64            `json:"all_pairs"`       // of the records, compared or not
	GivenUp int64            `json:"given_up_pairs"`
	Budget  float64          `json:"budget_pairs,omitempty"` // where the rules were chosen
	Covered *float64         `json:"expected_coverage,omitempty"`
	Blocks  []plannedGivenUp `json:"given_up_blocks"`
	Notes   []string         `json:"notes"`
}

type plannedSource struct {
	Source  string                 `json:"source"`
	Records int64                  `json:"records"`
	Key     string                 `json:"key"`
	Columns []ingest.ColumnMapping `json:"columns"`
}

type plannedRule struct {
	Rule    string `json:"rule"`
	Pairs   int64  `json:"pairs"`     // in its blocks
	New     int64  `json:"new_pairs"` // that no earlier rule finds
	Blocks  int    `json:"blocks"`
	Largest int    `json:"largest_block"` // in records
	Split   int    `json:"split_blocks"`
	GivenUp int64  `json:"given_up_pairs"`
}

type plannedGivenUp struct {
	Rule    string `json:"rule"`
	Value   string `json:"value"`
	Records int    `json:"records"`
	Pairs   int64  `json:"pairs"`
}

// countPairs counts, without comparing any, the distinct candidate pairs by the
// rule that finds them first.
func (j *job) countPairs(ctx context.Context) ([]int64, error) {
	byWorker := make([][]int64, max(1, j.workers))
	for i := range byWorker {
		byWorker[i] = make([]int64, len(j.rules.Rules))
	}
	err := j.rules.Enumerate(ctx, len(byWorker), func(worker, rule int, pairs []record.Pair) {
		byWorker[worker][rule] += int64(len(pairs))
	}, nil)
	total := make([]int64, len(j.rules.Rules))
	for _, counts := range byWorker {
		for rule, n := range counts {
			total[rule] += n
		}
	}
	return total, err
}

// planned gathers what a run would do.
func (j *job) planned(ctx context.Context) (*plannedRun, error) {
	byRule, err := j.countPairs(ctx)
	if err != nil {
		return nil, err
	}
	n := int64(j.table.Len())
	p := &plannedRun{Records: n, All: n * (n - 1) / 2, SplitBy: append([]string{}, j.splitters...), GivenUp: j.givenUp(), Notes: []string{}, Blocks: []plannedGivenUp{}}
	for _, s := range j.mapping.Sources {
		ps := plannedSource{Source: s.Source, Key: s.Key, Columns: s.Columns}
		for _, b := range j.built.Sources {
			if b.Source == s.Source {
				ps.Records = int64(b.Records)
			}
		}
		p.Sources = append(p.Sources, ps)
	}
	for i, s := range j.rules.Stats {
		p.Rules = append(p.Rules, plannedRule{s.Name, s.Pairs, byRule[i], s.Blocks, s.Largest, s.Split, s.GivenUpPairs})
		p.Pairs += byRule[i]
		for _, g := range s.GivenUp {
			p.Blocks = append(p.Blocks, plannedGivenUp{s.Name, g.Value, g.Records, g.Pairs})
		}
	}
	if j.proposal != nil {
		b := j.conf.Budget()
		p.Budget = max(float64(b.MinPairs), b.PairsPerRecord*float64(n))
		if j.proposal.Considered > 0 {
			p.Covered = &j.proposal.Expected
		}
	}
	for _, note := range j.notes {
		p.Notes = append(p.Notes, note.String())
	}
	return p, nil
}

// printPlan shows the mapping, the rules and their exact pair counts.
func (j *job) printPlan(ctx context.Context) error {
	p, err := j.planned(ctx)
	if err != nil {
		return err
	}
	w := j.stdout
	if j.json {
		return printJSON(w, p)
	}
	for _, s := range p.Sources {
		fmt.Fprintf(w, "Source %s, %s, key %s\n", s.Source, plural(s.Records, "record", "records"), printable(s.Key))
		t := newTable("column", "is", "layout", "because")
		for _, c := range s.Columns {
			t.row(c.Column, string(c.As), c.Layout, c.Why)
		}
		t.write(w, "  ")
		fmt.Fprintln(w)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "Note %s\n", printable(note))
	}
	t := newTable("blocking rule", "pairs", "new", "largest block", "split", "given up").right(2, 3, 4, 5, 6)
	for _, r := range p.Rules {
		t.row(r.Rule, count(r.Pairs), count(r.New), count(r.Largest), count(r.Split), count(r.GivenUp))
	}
	t.write(w, "")
	fmt.Fprintf(w, "\n%s to compare, of %s possible ones.\n", plural(p.Pairs, "pair", "pairs"), count(p.All))
	if p.Covered != nil && p.Rules[0].Rule != blocking.AllPairs.Name {
		fmt.Fprintf(w, "The rules were chosen for at most %s; of the probable matches in a sample they find %s.\n", plural(int64(p.Budget), "pair", "pairs"), percent(*p.Covered))
	}
	if len(p.SplitBy) > 0 {
		fmt.Fprintf(w, "Blocks of more than %d records are split by %s.\n", j.blockLimit(), strings.Join(p.SplitBy, ", then "))
	}
	for i, b := range p.Blocks {
		if i == 10 {
			fmt.Fprintf(w, "  and %d more\n", len(p.Blocks)-i)
			break
		}
		fmt.Fprintf(w, "Given up by rule %s: %s, %s, %s\n", b.Rule, printable(b.Value), plural(b.Records, "record", "records"), plural(b.Pairs, "pair", "pairs"))
	}
	fmt.Fprintln(w, "Nothing was written.")
	return nil
}
