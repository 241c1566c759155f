package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// secondNight is a night of n records in about half as many identities after one of
// the same size, with a share of the records moved, gone and new, and aliases
// from earlier.
func secondNight(tb testing.TB, n int, share float64, aliases int) (*Clusters, *Past) {
	r := rand.New(rand.NewPCG(11, 12))
	people := n * 64 / 100
	labels := make([]uint32, n)
	for i := range labels {
		labels[i] = uint32(r.IntN(people))
	}
	before := ClustersOf(labels)
	first, err := Assign(before, nil, Issuer{Run: 1, Seed: 5})
	if err != nil {
		tb.Fatal(err)
	}
	past := &Past{IDs: first.IDs, Of: before.Of, Founder: first.Founder}
	for range aliases {
		d := Dormant{ID: Issuer{Run: 1, Seed: 5}.ID(uint64(first.Issued + len(past.Dormant))), Founder: None}
		for range 2 {
			d.Records = append(d.Records, uint32(r.IntN(n)))
		}
		slices.Sort(d.Records)
		d.Records = slices.Compact(d.Records)
		d.Into = first.IDs[before.Of[d.Records[0]]]
		past.Dormant = append(past.Dormant, d)
	}
	for i := range labels {
		if r.Float64() < share {
			labels[i] = uint32(r.IntN(people))
		}
	}
	return ClustersOf(labels), past
}

func benchmarkAssign(b *testing.B, share float64, aliases int) {
	c, past := secondNight(b, 1_000_000, share, aliases)
	b.ReportMetric(float64(c.Len()), "clusters")
	for b.Loop() {
		if _, err := Assign(c, past, Issuer{Run: 2, Seed: 5}); err != nil {
			b.Fatal(err)
		}
	}
}

// One record in a hundred moves, which changes about two identities each.
func BenchmarkAssign(b *testing.B)          { benchmarkAssign(b, 0.01, 20_000) }
func BenchmarkAssignMoved2(b *testing.B)    { benchmarkAssign(b, 0.02, 20_000) }
func BenchmarkAssignUnchanged(b *testing.B) { benchmarkAssign(b, 0, 0) }
func BenchmarkAssignShuffled(b *testing.B)  { benchmarkAssign(b, 1, 500_000) }
