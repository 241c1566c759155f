package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"sama/graph"
	"sama/match"
	"sama/record"
	"sama/run/report"
)

// How much of the long lists the report gets; it cuts them further.
const (
	maxDoubtful = 50
	maxJunk     = 200
	histogram   = 40 // bits, either side
)

// writeReport renders the report.
func (j *job) writeReport(context.Context) (int64, error) {
	page, err := report.Render(j.page())
	j.report = page
	return int64(len(page)), err
}

// page is the report's data. Nothing in it but Run depends on the clock, the
// machine, or how the data was cut into files; rejects name their file.
func (j *job) page() *report.Data {
	d := &report.Data{
		Title:         j.sourceNames(),
		Records:       int64(j.table.Len()),
		Identities:    int64(j.clusters.Len()),
		Joined:        j.joined(),
		Warnings:      j.warnings(),
		Since:         j.since(),
		Mapping:       j.pageMapping(),
		Rules:         j.pageRules(),
		Prior:         prior(j.model),
		Comparisons:   pageComparisons(j.model),
		Histogram:     j.histogram(),
		Threshold:     report.Threshold{Bits: j.cut.Bits(), Probability: j.cut.Probability(), Why: whyThreshold[j.chosen]},
		Sizes:         j.sizes(),
		Overlap:       j.overlap(),
		Examples:      j.examples(),
		DoubtfulTotal: int64(len(j.doubts)),
		Doubtful:      j.pageDoubtful(),
		RejectsTotal:  j.refused,
	}
	d.Fields, d.Sources = j.fill()
	for _, g := range j.built.Generic[:min(maxJunk, len(j.built.Generic))] {
		d.Junk = append(d.Junk, report.Junk{Field: g.Column, Value: g.Value, Records: int64(g.Records), Why: g.Reason})
	}
	for _, s := range j.rules.Stats {
		for _, g := range s.GivenUp {
			d.GivenUp = append(d.GivenUp, report.GivenUp{Rule: s.Name, Value: g.Value, Records: int64(g.Records), Pairs: g.Pairs})
		}
	}
	for _, e := range j.curve {
		d.Curve = append(d.Curve, report.Point{Bits: e.Threshold.Bits(), Precision: e.Precision(), Recall: e.Recall(), F1: e.F1()})
	}
	for _, k := range rejectKinds(j.rejects) {
		d.Rejects = append(d.Rejects, report.Reject{File: k.file, Column: k.column, Reason: k.reason, Count: k.count, Example: k.example()})
	}
	for _, s := range j.stages {
		// Seconds stand in run.json: the page depends on the data alone.
		d.Work = append(d.Work, report.Stage{Name: s.Name, Items: s.Items, Unit: s.Unit})
	}
	return d
}

// since is what changed since the previous run, nil in a first run.
func (j *job) since() *report.Since {
	if j.past.Previous == nil {
		return nil
	}
	s := &report.Since{Number: int64(j.past.Previous.Info.Number)}
	for _, c := range j.past.Since.Sources {
		s.Sources = append(s.Sources, report.Change(c))
	}
	touched := make(map[graph.IdentityID]bool)
	for _, kind := range graph.EventKinds() {
		e := report.Event{Kind: kind.String()}
		for i := range j.identities.Events {
			x := &j.identities.Events[i]
			if x.Kind != kind {
				continue
			}
			touched[x.Identity] = true
			e.Identities++
			e.Records += int64(len(x.Records))
			if len(e.Examples) < maxEventExamples {
				e.Examples = append(e.Examples, j.eventExample(x))
			}
		}
		if e.Identities > 0 {
			s.Events = append(s.Events, e)
		}
	}
	for _, id := range j.identities.IDs {
		if !touched[id] {
			s.Kept++
		}
	}
	return s
}

// How much of the events the report shows.
const (
	maxEventExamples = 3
	maxEventRecords  = 8
)

func (j *job) eventExample(e *graph.Event) report.EventExample {
	x := report.EventExample{ID: e.Identity.String()}
	if e.Other != 0 {
		x.Other = e.Other.String()
	}
	var keys []string
	for _, r := range e.Records[:min(len(e.Records), maxEventRecords)] {
		if n := uint32(j.table.Len()); r < n {
			keys = append(keys, j.table.Key(r).String())
		} else {
			keys = append(keys, j.past.Gone[r-n].String())
		}
	}
	if len(e.Records) > len(keys) {
		keys = append(keys, "…")
	}
	x.Records = joinComma(keys)
	return x
}

// whyThreshold says how the threshold came about.
var whyThreshold = map[string]string{
	chosenByModel: "largest expected F1",
	chosenGiven:   "given",
	chosenBefore:  "that of the saved model",
	chosenLastRun: "that of the run before",
}

// joined counts the records that share their identity with another.
func (j *job) joined() int64 {
	var n int64
	for k := range j.clusters.Len() {
		if size := j.clusters.Size(uint32(k)); size > 1 {
			n += int64(size)
		}
	}
	return n
}

// warnings are what a person should know before trusting the result.
func (j *job) warnings() []string {
	list := j.decisionWarnings()
	if j.past != nil {
		for _, err := range j.past.Unread {
			list = append(list, err.Error())
		}
	}
	for _, n := range j.foldNotes {
		list = append(list, n.String())
	}
	list = append(list, j.model.Training.Warnings...)
	for _, n := range j.notes {
		list = append(list, n.String())
	}
	for _, c := range j.model.Comparisons {
		levels, untrained := 0, 0
		for l, level := range c.Levels {
			if l > 0 {
				levels++
				if level.Untrained {
					untrained++
				}
			}
		}
		if untrained == levels && levels > 0 {
			list = append(list, fmt.Sprintf("comparison %s: none of its levels was seen in training; it takes documented defaults", c.Name))
		}
	}
	for _, l := range j.plan.Left {
		list = append(list, fmt.Sprintf("column %s is not compared: %s", l.Column, l.Reason))
	}
	if n := j.givenUp(); n > 0 {
		list = append(list, fmt.Sprintf("%s in blocks that were too large were not compared by the rule that made the block", plural(n, "pair", "pairs")))
	}
	return list
}

// decisionWarnings says which decisions could not be obeyed.
func (j *job) decisionWarnings() []string {
	list := slices.Clone(j.conflicts[:min(len(j.conflicts), maxConflicts)])
	if n := len(j.conflicts) - len(list); n > 0 {
		list = append(list, plural(n, "more contradiction", "more contradictions")+" among decisions: sama decide list shows all")
	}
	if n := j.obeyed.Waiting; n > 0 {
		list = append(list, plural(n, "decision waits", "decisions wait")+" for records that are not there")
	}
	return list
}

// maxConflicts is how many contradictions of decisions are told one by one.
const maxConflicts = 10

// fill returns the fields of the table and, by source, how far they are filled.
func (j *job) fill() (fields []string, sources []report.Source) {
	t := j.table
	records := make([]int64, len(t.Sources))
	for _, s := range t.Source {
		records[s]++
	}
	for i, name := range t.Sources {
		s := report.Source{Name: name, Records: records[i]}
		for _, b := range j.built.Sources {
			if b.Source == name {
				s.Rejected = int64(b.NullKeys + b.DuplicateKeys)
			}
		}
		for _, f := range j.files {
			if f.Source == name {
				s.Rejected += f.Rejected
			}
		}
		sources = append(sources, s)
	}
	for _, c := range t.Columns {
		if c.Field == record.Carried {
			continue
		}
		fields = append(fields, c.Name)
		filled := make([]int64, len(t.Sources))
		for r, code := range c.Code {
			if code > 0 {
				filled[t.Source[r]]++
			}
		}
		for i := range sources {
			sources[i].Fill = append(sources[i].Fill, float64(filled[i])/float64(max(1, records[i])))
		}
	}
	return fields, sources
}

// pageMapping says what became of every column, and how many of its values
// were not understood.
func (j *job) pageMapping() []report.Mapping {
	var list []report.Mapping
	for _, s := range j.mapping.Sources {
		list = append(list, report.Mapping{Source: s.Source, Column: s.Key, Field: "key", Why: "names the records"})
		for _, c := range s.Columns {
			m := report.Mapping{Source: s.Source, Column: c.Column, Field: string(c.As), Why: cmp.Or(c.Why, "configuration")}
			if c.As == "carried" {
				m.Field = ""
			}
			for _, b := range j.built.Sources {
				if b.Source != s.Source {
					continue
				}
				for _, r := range b.Columns {
					if r.Column != c.Column {
						continue
					}
					if r.Junk > 0 {
						m.Why += "; " + plural(r.Junk, "junk value", "junk values")
					}
					if r.Invalid > 0 {
						m.Why += "; " + count(r.Invalid) + " not understood"
					}
				}
			}
			list = append(list, m)
		}
	}
	return list
}

// pageRules says what each blocking rule brought.
func (j *job) pageRules() []report.Rule {
	var rules []report.Rule
	for i, s := range j.rules.Stats {
		rules = append(rules, report.Rule{Name: s.Name, Pairs: s.Pairs, New: j.candidates.ByRule[i]})
	}
	if j.second > 0 {
		rules = append(rules, report.Rule{Name: secondLookRule, Pairs: j.second, New: j.second})
	}
	for i := range j.edges {
		if e := &j.edges[i]; e.Weight >= j.cut {
			rules[min(int(e.Rule), len(rules)-1)].Edges++
		}
	}
	return rules
}

// prior is the weight that every candidate pair begins with, in bits.
func prior(m *match.Model) float64 {
	others := 0.0
	for _, s := range m.Shares[1:] {
		others += s
	}
	return math.Log2(max(m.Shares[0], 1e-12) / max(others, 1e-12))
}

// pageComparisons shows the model: the evidence of every level against all
// kinds of non-match together, best first.
func pageComparisons(m *match.Model) []report.Comparison {
	var list []report.Comparison
	for _, c := range m.Comparisons {
		rc := report.Comparison{Name: c.Name}
		for l, level := range c.Levels {
			if l == 0 {
				continue
			}
			u, shares := 0.0, 0.0
			for k, p := range level.U {
				u += m.Shares[k+1] * p
				shares += m.Shares[k+1]
			}
			u /= max(shares, 1e-12)
			rc.Levels = append(rc.Levels, report.Level{Label: level.Label, M: level.M, U: u, Untrained: level.Untrained,
				Bits: math.Log2(max(level.M, 1e-12) / max(u, 1e-12))})
		}
		slices.SortStableFunc(rc.Levels, func(a, b report.Level) int { return cmp.Compare(b.Bits, a.Bits) })
		list = append(list, rc)
	}
	return list
}

// histogram counts all candidate pairs by match weight, a bit a bin.
func (j *job) histogram() []report.Bin {
	counts := make(map[int]int64)
	for i := range j.candidates.Vectors {
		v := &j.candidates.Vectors[i]
		b := math.Floor(j.weights.Of(&v.Vector).Bits())
		counts[int(max(-histogram, min(histogram-1, b)))] += v.Pairs
	}
	if len(counts) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(counts))
	var bins []report.Bin
	for b := keys[0]; b <= keys[len(keys)-1]; b++ {
		bins = append(bins, report.Bin{From: float64(b), To: float64(b + 1), Pairs: counts[b]})
	}
	return bins
}

// sizes counts the identities by their number of records.
func (j *job) sizes() []report.Size {
	counts := make(map[int]int64)
	for k := range j.clusters.Len() {
		counts[j.clusters.Size(uint32(k))]++
	}
	var sizes []report.Size
	for _, n := range slices.Sorted(maps.Keys(counts)) {
		sizes = append(sizes, report.Size{Records: int64(n), Identities: counts[n]})
	}
	return sizes
}

// overlap counts the identities by the sources that they have records in, most
// first.
func (j *job) overlap() []report.Overlap {
	t := j.table
	found := make(map[string]*report.Overlap)
	var names []string
	in := make([]bool, len(t.Sources))
	for k := range j.clusters.Len() {
		clear(in)
		members := j.clusters.At(uint32(k))
		for _, r := range members {
			in[t.Source[r]] = true
		}
		names = names[:0]
		for s, yes := range in {
			if yes {
				names = append(names, t.Sources[s])
			}
		}
		key := strings.Join(names, "\x00")
		o := found[key]
		if o == nil {
			o = &report.Overlap{Sources: slices.Clone(names)}
			found[key] = o
		}
		o.Identities++
		o.Records += int64(len(members))
	}
	var list []report.Overlap
	for _, key := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[key])
	}
	slices.SortStableFunc(list, func(a, b report.Overlap) int { return cmp.Compare(b.Identities, a.Identities) })
	return list
}

// pageDoubtful lists the identities that a person should look at.
func (j *job) pageDoubtful() []report.Doubtful {
	var list []report.Doubtful
	for _, d := range j.doubts[:min(maxDoubtful, len(j.doubts))] {
		r := report.Doubtful{ID: j.identities.IDs[d.Cluster].String(), Why: j.whyDoubt(d), Weakest: d.Weakest.Bits()}
		for _, m := range j.clusters.At(d.Cluster) {
			r.Members = append(r.Members, report.Member{Key: j.table.Key(m).String(), Values: oneLine(j.table, m)})
		}
		list = append(list, r)
	}
	return list
}

// whyDoubt says why an identity is doubtful.
func (j *job) whyDoubt(d graph.Doubt) string {
	var why []string
	if d.Conflicts > 0 {
		why = append(why, plural(int64(d.Conflicts), "strong contradiction overruled", "strong contradictions overruled"))
	}
	if d.Bridges > 0 {
		why = append(why, plural(int64(d.Bridges), "edge holds it together alone", "edges hold it together alone"))
	}
	why = append(why, fmt.Sprintf("%s may not belong (%s)", j.table.Key(d.Loosest), percent(d.Wrong)))
	return strings.Join(why, ", ")
}

// oneLine shows a record: the values of its fields as its source wrote them.
func oneLine(t *record.Table, i uint32) string {
	var values []string
	for _, c := range t.Columns {
		if c.Field == record.Carried || c.Field >= record.CreatedAt {
			continue
		}
		if v := c.RawValue(i); v != "" {
			values = append(values, strings.ReplaceAll(v, "\x1f", ", "))
		}
	}
	return shorten(strings.Join(values, " · "), 200)
}
