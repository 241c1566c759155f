package graph

import (
	"math/rand/v2"
	"testing"

	"sama/record"
)

// million is a graph of the size of a nightly run: 1M records, about 2M edges.
func million() (int, []record.Edge) {
	r := rand.New(rand.NewPCG(3, 4))
	n, edges := people(r, 1_000_000)
	r.Shuffle(len(edges), func(i, j int) { edges[i], edges[j] = edges[j], edges[i] })
	return n, edges
}

// hairball is one component of n records.
func hairball(n int) []record.Edge {
	r := rand.New(rand.NewPCG(5, 6))
	met := make(map[record.Pair]bool)
	var edges []record.Edge
	for i := range uint32(n) {
		for range 4 {
			p := record.Pair{A: uint32(r.IntN(int(i) + 1)), B: i}
			if p.A != p.B && !met[p] {
				met[p] = true
				edges = append(edges, record.Edge{A: p.A, B: p.B, Weight: record.WeightOfBits(3 + 4*r.NormFloat64())})
			}
		}
	}
	return edges
}

func BenchmarkComponentsMillion(b *testing.B) {
	n, edges := million()
	b.ReportMetric(float64(len(edges)), "edges")
	for b.Loop() {
		Components(n, edges, 0)
	}
}

func BenchmarkCorrelateMillion(b *testing.B) {
	n, edges := million()
	for b.Loop() {
		Correlate(n, edges, Constraints{}, DefaultOptions(0))
	}
}

func BenchmarkChooseThresholdMillion(b *testing.B) {
	n, edges := million()
	for b.Loop() {
		ChooseThreshold(n, edges, Constraints{}, DefaultOptions(0), Candidates())
	}
}

func BenchmarkMissingPairsMillion(b *testing.B) {
	n, edges := million()
	c := Components(n, edges, -1477)
	for b.Loop() {
		MissingPairs(c, edges, 200)
	}
}

func BenchmarkCohereMillion(b *testing.B) {
	n, edges := million()
	c, _ := Correlate(n, edges, Constraints{}, DefaultOptions(0))
	for b.Loop() {
		Cohere(c, edges, Constraints{}, DefaultOptions(0))
	}
}

func BenchmarkCorrelateHairball100k(b *testing.B) {
	edges := hairball(100_000)
	for b.Loop() {
		Correlate(100_000, edges, Constraints{}, DefaultOptions(0))
	}
}

func BenchmarkCorrelateStar100k(b *testing.B) {
	var edges []record.Edge
	for i := range uint32(99_999) {
		edges = append(edges, record.Edge{A: 0, B: i + 1, Weight: 10 * record.WeightUnit})
	}
	for b.Loop() {
		Correlate(100_000, edges, Constraints{}, DefaultOptions(0))
	}
}

func BenchmarkMissingPairsHairball100k(b *testing.B) {
	edges := hairball(100_000)
	c := Components(100_000, edges, -5000)
	for b.Loop() {
		MissingPairs(c, edges, 200)
	}
}

func BenchmarkCorrelateClusterOf512(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	var edges []record.Edge
	for i := range uint32(512) {
		for j := range i {
			edges = append(edges, record.Edge{A: j, B: i, Weight: record.WeightOfBits(4 * r.NormFloat64())})
		}
	}
	for b.Loop() {
		Correlate(512, edges, Constraints{}, DefaultOptions(0))
	}
}
