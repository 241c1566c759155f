package main

import (
	"context"
	"slices"

	"sama/graph"
	"sama/match"
	"sama/record"
	"sama/serve/online"
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
	return graph.Constraints{Unique: online.Unique(j.once(), j.table)}
}

// once lists what an identity has once. A person may run two firms; a firm has
// one business id.
func (j *job) once() []online.Constraint {
	var list []online.Constraint
	for _, name := range j.conf.Clusters.Unique {
		list = append(list, online.Constraint{Column: name})
	}
	for _, name := range j.conf.Clusters.OncePerSource {
		list = append(list, online.Constraint{Source: name})
	}
	verified := j.table.All(record.NationalID)
	if j.table.Column(record.GivenName) == nil {
		verified = append(verified, j.table.All(record.BusinessID)...)
	}
	for _, c := range verified {
		if !slices.Contains(j.conf.Clusters.Unique, c.Name) {
			list = append(list, online.Constraint{Column: c.Name, Verified: true})
		}
	}
	return list
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
