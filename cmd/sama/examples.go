package main

import (
	"cmp"
	"slices"

	"sama/match"
	"sama/record"
	"sama/run/report"
)

// examplesPerKind is how many pairs of each kind the report shows.
const examplesPerKind = 2

// examples picks pairs around the threshold and far from it.
func (j *job) examples() []report.Example {
	distance := func(e *match.Edge) record.Weight { return max(e.Weight-j.cut, j.cut-e.Weight) }
	kinds := []struct {
		name string
		is   func(e *match.Edge, joined bool) bool
		less func(a, b *match.Edge) int
	}{
		{"just above the threshold", func(e *match.Edge, joined bool) bool { return e.Weight >= j.cut && joined }, nil},
		{"just below the threshold", func(e *match.Edge, joined bool) bool { return e.Weight < j.cut && !joined }, nil},
		{"below the threshold, joined through others", func(e *match.Edge, joined bool) bool { return e.Weight < j.cut && joined }, nil},
		{"above the threshold, kept apart by others", func(e *match.Edge, joined bool) bool { return e.Weight >= j.cut && !joined }, nil},
		{"far above the threshold", func(e *match.Edge, joined bool) bool { return e.Weight >= j.cut && joined },
			func(a, b *match.Edge) int { return cmp.Compare(b.Weight, a.Weight) }},
	}
	var list []report.Example
	taken := make(map[int]bool)
	for _, k := range kinds {
		less := k.less
		if less == nil {
			less = func(a, b *match.Edge) int { return cmp.Compare(distance(a), distance(b)) }
		}
		var best []int
		for i := range j.edges {
			e := &j.edges[i]
			if taken[i] || !k.is(e, j.clusters.Of[e.A] == j.clusters.Of[e.B]) {
				continue
			}
			at, _ := slices.BinarySearchFunc(best, i, func(b, i int) int {
				return cmp.Or(less(&j.edges[b], &j.edges[i]), cmp.Compare(b, i))
			})
			if at < examplesPerKind {
				best = slices.Insert(best, at, i)
				best = best[:min(len(best), examplesPerKind)]
			}
		}
		for _, i := range best {
			taken[i] = true
			list = append(list, j.example(k.name, &j.edges[i]))
		}
	}
	return list
}

// example explains one edge for the report. Steps that say nothing are left
// out; what the kind of non-match changes in the prior is a step of its own.
func (j *job) example(kind string, e *match.Edge) report.Example {
	x := j.plan.Explain(record.Pair{A: e.A, B: e.B}, j.model, nil)
	r := report.Example{
		Kind: kind, Left: x.A.String(), Right: x.B.String(),
		Bits: x.Weight.Bits(), Probability: x.Probability,
		Joined: j.clusters.Of[e.A] == j.clusters.Of[e.B],
	}
	for i, s := range x.Steps {
		if s.A != "" || s.B != "" {
			r.Fields = append(r.Fields, report.ExampleField{
				Name: s.Comparison, Left: s.A, Right: s.B, Differs: differ(j.plan.Comparisons[i].Columns(), e.A, e.B),
			})
		}
		if s.Weight != 0 {
			r.Steps = append(r.Steps, report.Step{Name: s.Comparison, Level: s.Level, Bits: s.Weight.Bits()})
		}
	}
	if rest := x.Prior.Bits() - prior(j.model) + x.OtherKinds.Bits(); rest < -0.005 || rest > 0.005 {
		r.Steps = append(r.Steps, report.Step{Name: "kind of pair", Level: "weighed against: " + x.Against, Bits: rest})
	}
	return r
}

// differ reports whether two records have different values in a comparison's
// columns. What counts are normal forms, and of a field with several columns,
// such as two telephone numbers, that one is in common; values without a normal
// form differ as they are written. A value on one side only differs from
// nothing.
func differ(columns []*record.Column, a, b uint32) bool {
	differs := false
	for from := 0; from < len(columns) && !differs; {
		to := from + 1
		for to < len(columns) && columns[to].Field == columns[from].Field {
			to++
		}
		field := columns[from:to]
		left, right := valuesOf(field, a), valuesOf(field, b)
		common := slices.ContainsFunc(left, func(v string) bool { return slices.Contains(right, v) })
		differs = len(left) > 0 && len(right) > 0 && !common
		from = to
	}
	return differs
}

// valuesOf returns a record's values in some columns: the normal forms, or what
// is written where there is none.
func valuesOf(columns []*record.Column, i uint32) []string {
	var values []string
	for _, c := range columns {
		if v := cmp.Or(c.Value(i), c.RawValue(i)); v != "" {
			values = append(values, v)
		}
	}
	return values
}
