package main

import (
	"context"
	"slices"

	"sama/graph"
	"sama/ingest/normalize"
	"sama/match"
	"sama/record"
)

// doubtMargin is the evidence below which a record's place in its identity is
// put up for review.
const doubtMargin = 4 * record.WeightUnit

// idSeed orders the ids of a run among themselves. It is fixed: ids follow from
// the run's number and the order of record keys alone.
const idSeed = 0x5341_4d41

// Ways in which the threshold came about, as run.json says them.
const (
	chosenByModel = "expected F1"
	chosenGiven   = "given"
	chosenBefore  = "model file"
	chosenLastRun = "previous run"
)

// chooseCut sets the threshold: the one given, else the saved model's, else
// the one with the highest expected F1.
func (j *job) chooseCut(context.Context) (int64, error) {
	j.constraints.Unique = j.hardConstraints().Unique
	j.contradictions = j.constraints.Contradictions(j.table.Len())
	j.constraints = j.constraints.Reconciled(j.table.Len())
	candidates := graph.Candidates()
	given, how := j.givenCut()
	if how != "" {
		candidates = withCut(candidates, given)
	}
	opt := graph.DefaultOptions(0)
	opt.Workers = j.workers
	j.cut, j.curve = graph.ChooseThreshold(j.table.Len(), j.flat, j.constraints, opt, candidates)
	j.chosen = chosenByModel
	if how != "" {
		j.cut, j.chosen = given, how
	}
	bits := j.cut.Bits()
	j.model.Threshold = &bits
	return int64(len(j.flat)), nil
}

// withCut returns the thresholds with one more among them.
func withCut(candidates []record.Weight, cut record.Weight) []record.Weight {
	if !slices.Contains(candidates, cut) {
		candidates = append(slices.Clone(candidates), cut)
		slices.Sort(candidates)
	}
	return candidates
}

// givenCut returns the threshold that is not to be chosen, how = "" if it is.
func (j *job) givenCut() (w record.Weight, how string) {
	switch {
	case j.changed("threshold"):
		return record.WeightOfProbability(j.threshold), chosenGiven
	case j.conf.Clusters.Threshold > 0:
		return record.WeightOfProbability(j.conf.Clusters.Threshold), chosenGiven
	case j.follow != nil && j.model.Threshold != nil:
		return record.WeightOfBits(*j.model.Threshold), chosenLastRun
	case j.modelFile() != "" && j.model.Threshold != nil:
		return record.WeightOfBits(*j.model.Threshold), chosenBefore
	}
	return 0, ""
}

// hardConstraints are the constraints of the configuration, whose names are
// checked by then, and those of verified identifiers.
func (j *job) hardConstraints() graph.Constraints {
	var cons graph.Constraints
	for _, name := range j.conf.Clusters.Unique {
		cons.Unique = append(cons.Unique, graph.Unique{Name: name, Code: uniqueCode(j.table.Named(name))})
	}
	for _, name := range j.conf.Clusters.OncePerSource {
		s := slices.Index(j.table.Sources, name)
		own := make([]uint32, j.table.Len())
		for r, source := range j.table.Source {
			if int(source) == s {
				own[r] = uint32(r) + 1
			}
		}
		cons.Unique = append(cons.Unique, graph.Unique{Name: "records of " + name, Code: own})
	}
	cons.Unique = append(cons.Unique, j.verified(record.NationalID, normalize.ValidHetu)...)
	if j.table.Column(record.GivenName) == nil {
		// A person may run two firms; a firm has one business id.
		cons.Unique = append(cons.Unique, j.verified(record.BusinessID, normalize.ValidYTunnus)...)
	}
	return cons
}

// verified returns the columns of a field as unique, as far as their values
// pass a check: two identifiers whose check characters are right and that
// differ name two people or two firms, where one that fails may be a
// misspelling.
func (j *job) verified(f record.Field, check func(string) bool) []graph.Unique {
	var unique []graph.Unique
	for _, c := range j.table.All(f) {
		if !slices.Contains(j.conf.Clusters.Unique, c.Name) {
			unique = append(unique, graph.Unique{Name: c.Name, Code: verifiedCode(c, check)})
		}
	}
	return unique
}

// verifiedCode returns the codes of the values that pass a check.
func verifiedCode(c *record.Column, check func(string) bool) []uint32 {
	valid := make([]bool, c.Normal.Len())
	for code := 1; code < len(valid); code++ {
		valid[code] = check(c.Normal.At(uint32(code)))
	}
	codes := make([]uint32, len(c.Code))
	for i, code := range c.Code {
		if valid[code] {
			codes[i] = code
		}
	}
	return codes
}

func tableColumns(t *record.Table) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// cluster parts the records into clusters and finds the doubtful ones.
func (j *job) cluster(context.Context) (int64, error) {
	opt := graph.DefaultOptions(j.cut)
	opt.Workers = j.workers
	j.clusters, _ = graph.Correlate(j.table.Len(), j.flat, j.constraints, opt)
	j.joinCopies()
	j.countDecisions()
	cohesion := graph.Cohere(j.clusters, j.flat, j.constraints, opt)
	j.doubts = graph.Doubtful(cohesion, j.clusters, doubtMargin)
	return int64(j.clusters.Len()), nil
}

// joinCopies puts every record that took no part because others are equal to it
// where the first of these is, if their weight says so and no constraint keeps
// them apart.
func (j *job) joinCopies() {
	if len(j.copies) == 0 {
		return
	}
	labels := slices.Clone(j.clusters.Of)
	for _, e := range j.copies {
		apart := slices.ContainsFunc(j.constraints.Unique, func(u graph.Unique) bool {
			return u.Code[e.A] != 0 && u.Code[e.B] != 0 && u.Code[e.A] != u.Code[e.B]
		})
		if e.Weight >= j.cut && !apart {
			labels[e.B] = labels[e.A]
		}
	}
	j.clusters = graph.ClustersOf(labels)
	j.edges = append(j.edges, j.copies...)
	match.SortEdges(j.edges)
	j.flat = flatten(j.edges)
}
