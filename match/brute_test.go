package match_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sama/ingest"
	"sama/match"
	"sama/match/blocking"
	"sama/record"
)

// loadTable reads an evaluation set as sama resolve does, without its truth.
func loadTable(t *testing.T, name string) *record.Table {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", "eval", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no evaluation data beside the repository (%s)", filepath.Join("..", "shared", "data", "eval", name))
	}
	ctx := context.Background()
	raws, _, err := ingest.ReadSources(ctx, []ingest.Input{{Paths: []string{filepath.Join(dir, "records.parquet")}}}, ingest.ReadOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	mapping, _ := ingest.Propose(raws)
	table, _, err := ingest.Build(ctx, raws, mapping, ingest.BuildOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// agrees says whether two records have a value of every expression in common.
func agrees(r blocking.Rule, a, b uint32) bool {
	for _, e := range r.Expressions {
		if !slices.ContainsFunc(e.Slots, func(x []uint32) bool {
			return x[a] != 0 && slices.ContainsFunc(e.Slots, func(y []uint32) bool { return x[a] == y[b] })
		}) {
			return false
		}
	}
	return true
}

// TestEdgesEqualBruteForce looks at every pair of records of whole data sets:
// the pairs that the rules propose, by comparing their expressions' values
// directly, and each pair's weight, scored by itself, must be those of the
// engine, pair by pair. Kept and enumerated candidates must agree too.
func TestEdgesEqualBruteForce(t *testing.T) {
	for _, name := range []string{"rldata500", "febrl1", "german_time2k", "febrl3"} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "rldata500" {
				t.Skip("whole data sets are not looked at with -short")
			}
			bruteForce(t, loadTable(t, name))
		})
	}
}

func bruteForce(t *testing.T, table *record.Table) {
	ctx := context.Background()
	draft := match.NewPlan(table, match.Joint{Name: true, Address: true})
	budget := match.DefaultBudget
	budget.MinPairs = 100_000
	proposal := draft.Propose(budget, 2)
	rules := blocking.NewPlan(table, proposal.Rules, blocking.Options{})
	joint, err := match.ChooseJoint(ctx, table, rules, 2)
	if err != nil {
		t.Fatal(err)
	}
	plan := match.NewPlan(table, joint)
	candidates, err := plan.Count(ctx, rules, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	model, err := plan.Train(candidates, 2)
	if err != nil {
		t.Fatal(err)
	}
	weights := plan.Compile(model)
	const everything = -1 << 30
	got, err := plan.Edges(ctx, rules, candidates, weights, everything, 2)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []record.Pair
	var first []uint16
	for a := range uint32(table.Len()) {
		for b := a + 1; b < uint32(table.Len()); b++ {
			for r, rule := range proposal.Rules {
				if agrees(rule, a, b) {
					pairs, first = append(pairs, record.Pair{A: a, B: b}), append(first, uint16(r))
					break
				}
			}
		}
	}
	if len(got) != len(pairs) || candidates.Pairs != int64(len(pairs)) {
		t.Fatalf("%d edges of %d candidates, brute force finds %d pairs", len(got), candidates.Pairs, len(pairs))
	}
	for i, want := range plan.Score(pairs, weights, 1) {
		want.Rule = first[i]
		if got[i] != want {
			t.Fatalf("edge %d: %+v, brute force %+v", i, got[i], want)
		}
		// A thousandth of the pairs through the explanation as well.
		if i%1000 == 0 {
			explained(t, plan, model, pairs[i], want.Weight)
		}
	}
}

// explained checks that an explanation's parts add up to the weight, to the
// last unit.
func explained(t *testing.T, plan *match.Plan, model *match.Model, pair record.Pair, weight record.Weight) {
	e := plan.Explain(pair, model, nil)
	sum := e.Prior + e.OtherKinds
	for _, s := range e.Steps {
		sum += s.Weight
	}
	if sum != weight || e.Weight != weight {
		t.Fatalf("explanation of %v adds up to %d, says %d, the edge weighs %d", pair, sum, e.Weight, weight)
	}
}
