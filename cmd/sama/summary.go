package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"sama/graph"
	"sama/run"
)

// summary is what resolve says at the end, as --json prints it.
type summary struct {
	Run        string          `json:"run"`
	Path       string          `json:"path"`
	Report     string          `json:"report"`
	HeldBack   bool            `json:"held_back"`
	Exceeded   []string        `json:"exceeded,omitempty"` // by the guards
	Sources    []sourceSummary `json:"sources"`
	Records    int64           `json:"records"`
	Identities int64           `json:"identities"`
	Joined     int64           `json:"joined"`
	Largest    int64           `json:"largest"`
	// RecordsPerIdentity maps a number of records to the identities that have
	// as many.
	RecordsPerIdentity []sizeSummary `json:"records_per_identity"`
	Edges              int64         `json:"edges"`
	CandidatePairs     int64         `json:"candidate_pairs"`
	GivenUpPairs       int64         `json:"given_up_pairs"`
	Rejects            int64         `json:"rejects"`
	Doubtful           int64         `json:"doubtful"`
	Threshold          run.Threshold `json:"threshold"`
	Quality            *run.Quality  `json:"quality,omitempty"`
	Since              *run.Since    `json:"since,omitempty"`
	Decisions          run.Decisions `json:"decisions"`
	Online             run.Online    `json:"online,omitzero"`
	RemovedRuns        int           `json:"removed_runs,omitempty"` // because they held persons who have been erased
	Warnings           []string      `json:"warnings"`
	Seconds            float64       `json:"seconds"`
	PeakBytes          int64         `json:"peak_bytes"`
}

type sourceSummary struct {
	Source   string `json:"source"`
	Records  int64  `json:"records"`
	Rejected int64  `json:"rejected"`
}

type sizeSummary struct {
	Records    int64 `json:"records"`
	Identities int64 `json:"identities"`
}

func (j *job) summary() summary {
	i := &j.info
	path := filepath.Join(j.out, "current")
	if i.HeldBack {
		path = j.path
	}
	s := summary{
		Run: i.ID, Path: path, Report: filepath.Join(path, "report.html"), HeldBack: i.HeldBack, Exceeded: j.heldBack,
		Records: i.Counts.Records, Identities: i.Counts.Identities, Joined: i.Counts.Joined, Largest: i.Counts.Largest,
		Edges: i.Counts.Edges, CandidatePairs: i.Counts.CandidatePairs, GivenUpPairs: i.Counts.GivenUpPairs,
		Rejects: i.Counts.Rejects, Doubtful: i.Counts.Doubtful, Threshold: i.Threshold, Quality: i.Quality,
		Since: i.Since, Decisions: i.Decisions, Online: i.Online, RemovedRuns: j.removed, Warnings: j.warnings(), Seconds: j.now().Sub(j.started).Seconds(), PeakBytes: i.Memory.PeakBytes,
	}
	if s.Warnings == nil {
		s.Warnings = []string{}
	}
	_, sources := j.fill()
	for _, x := range sources {
		s.Sources = append(s.Sources, sourceSummary{x.Name, x.Records, x.Rejected})
	}
	for _, x := range j.sizes() {
		s.RecordsPerIdentity = append(s.RecordsPerIdentity, sizeSummary(x))
	}
	return s
}

// printSummary says on one screen what came of the run and what to look at
// next.
func (j *job) printSummary() error {
	s := j.summary()
	if j.json {
		return printJSON(j.stdout, s)
	}
	w := j.stdout
	verb := "are"
	if s.Records == 1 {
		verb = "is"
	}
	fmt.Fprintf(w, "%s of %s %s %s.\n\n", plural(s.Records, "record", "records"), plural(len(s.Sources), "source", "sources"), verb, plural(s.Identities, "identity", "identities"))
	t := newTable("source", "records", "rejected").right(2, 3)
	for _, x := range s.Sources {
		t.row(x.Source, count(x.Records), count(x.Rejected))
	}
	t.write(w, "  ")
	fmt.Fprintln(w)
	printSizes(w, s.RecordsPerIdentity)
	printSince(w, s.Since)
	printOnline(w, s)
	fmt.Fprintf(w, "\nThreshold   %s bits, probability %s (%s)\n", bits(s.Threshold.Bits), percent(s.Threshold.Probability), whyThreshold[s.Threshold.Chosen])
	if q := s.Quality; q != nil {
		fmt.Fprintf(w, "Expected    precision %s, recall %s (the model's own estimate)\n", percent(q.Precision), percent(q.Recall))
	}
	fmt.Fprintf(w, "Pairs       %s compared, %s kept as edges\n", count(s.CandidatePairs), count(s.Edges))
	fmt.Fprintf(w, "Time        %.2f s, %s at most\n", s.Seconds, size(s.PeakBytes))
	for i, x := range s.Warnings {
		if i == 5 {
			fmt.Fprintf(w, "            and %d more in the report\n", len(s.Warnings)-i)
			break
		}
		fmt.Fprintf(w, "%-11s %s\n", map[bool]string{true: "Note"}[i == 0], printable(x))
	}
	fmt.Fprintf(w, "\nReport      %s\n", s.Report)
	j.printNext(w, s)
	return nil
}

// printOnline says what came between the runs, and what of erased persons was
// left out.
func printOnline(w io.Writer, s summary) {
	if o := s.Online; o.Put > 0 || o.Deleted > 0 {
		kept := ""
		if o.Kept > 0 {
			kept = fmt.Sprintf(" (%s of them again: the exports do not know them yet)", count(o.Kept))
		}
		fmt.Fprintf(w, "Online      %s taken up%s, %s removed\n", plural(o.Put, "record", "records"), kept, plural(o.Deleted, "record", "records"))
	}
	if n := s.Online.Erased; n > 0 {
		fmt.Fprintf(w, "Erased      %s of persons who have been erased left out\n", plural(n, "record", "records"))
	}
	if n := s.RemovedRuns; n > 0 {
		fmt.Fprintf(w, "Removed     %s that held persons who have been erased since\n", plural(n, "earlier run", "earlier runs"))
	}
}

// printSince says on a line each what became of records and identities since
// the previous run.
func printSince(w io.Writer, s *run.Since) {
	if s == nil {
		return
	}
	var c run.SourceChange
	for _, x := range s.Sources {
		c.Same, c.Changed, c.Added, c.Gone = c.Same+x.Same, c.Changed+x.Changed, c.Added+x.Added, c.Gone+x.Gone
	}
	fmt.Fprintf(w, "\nRecords     %s new, %s changed, %s gone, %s as before\n", count(c.Added), count(c.Changed), count(c.Gone), count(c.Same))
	var parts []string
	for _, kind := range graph.EventKinds() {
		if n := s.Events[kind.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(n), kind))
		}
	}
	if parts == nil {
		parts = []string{"all as before"}
	}
	fmt.Fprintf(w, "Identities  %s\n", joinComma(parts))
}

// printSizes shows how many records the identities have, sizes above 5 as one.
func printSizes(w io.Writer, sizes []sizeSummary) {
	t := newTable("records per identity", "identities", "").right(2)
	most := slices.MaxFunc(sizes, func(a, b sizeSummary) int { return cmp.Compare(a.Identities, b.Identities) }).Identities
	var more, largest int64
	for _, s := range sizes {
		if s.Records > 5 {
			more += s.Identities
			largest = s.Records
			continue
		}
		t.row(count(s.Records), count(s.Identities), bar(s.Identities, most))
	}
	switch {
	case more > 0 && largest == 6:
		t.row("6", count(more), bar(more, most))
	case more > 0:
		t.row(fmt.Sprintf("6 to %s", count(largest)), count(more), bar(more, most))
	}
	t.write(w, "  ")
}

// printNext says what to look at next.
func (j *job) printNext(w io.Writer, s summary) {
	next := func(first bool, text string) {
		fmt.Fprintf(w, "%-11s %s\n", map[bool]string{true: "Next"}[first], text)
	}
	first := true
	if s.Rejects > 0 {
		next(first, fmt.Sprintf("%s: see the report, or rejects.parquet", plural(s.Rejects, "piece of input was rejected", "pieces of input were rejected")))
		first = false
	}
	if len(j.doubts) > 0 {
		d := j.doubts[0]
		next(first, fmt.Sprintf("%s to review, most doubtful: sama explain %s --out %s",
			plural(len(j.doubts), "identity", "identities"), j.table.Key(d.Loosest), j.out))
		first = false
	}
	next(first, fmt.Sprintf("what was decided: %s", filepath.Join(s.Path, "sama.yaml")))
}

// bar draws a share of the longest bar.
func bar(n, most int64) string {
	const width = 30
	k := int(float64(width)*float64(n)/float64(max(1, most)) + 0.5)
	if k == 0 && n > 0 {
		return "▏"
	}
	out := make([]rune, k)
	for i := range out {
		out[i] = '█'
	}
	return string(out)
}
