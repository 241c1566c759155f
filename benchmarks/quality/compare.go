package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"sama/benchmarks/measure"
)

// move is how far a change of the input moved the figures of a set.
type move struct {
	Seed    uint64 `json:"seed"`
	Plain   row    `json:"plain"`
	Changed row    `json:"changed"`
}

// failed reports whether there is nothing to compare.
func (m *move) failed() bool { return m.Plain.Failed != "" || m.Changed.Failed != "" }

func (m *move) f1() float64     { return m.Changed.F1 - m.Plain.F1 }
func (m *move) bcubed() float64 { return m.Changed.BCubed - m.Plain.BCubed }

// compare measures every set as it is and changed, once a seed, and reports
// whether all runs came to an end. Floors hold for the input as it is only.
func (m *measurer) compare(ctx context.Context, sets []measure.Set, w io.Writer) (bool, error) {
	first := cmp.Or(m.shuffle, m.seed)
	var moves []move
	for _, s := range sets {
		plain, err := m.one(ctx, s, measure.Change{})
		if err != nil {
			return false, err
		}
		for i := range m.seeds {
			c := measure.Change{Shuffle: m.shuffle > 0, Rename: m.rename, Subset: m.subset, Seed: first + uint64(i)}
			changed, err := m.one(ctx, s, c)
			if err != nil {
				return false, err
			}
			moves = append(moves, move{c.Seed, plain, changed})
		}
	}
	good := !slices.ContainsFunc(moves, func(v move) bool { return v.failed() })
	if m.json {
		return good, printJSON(w, moves)
	}
	return good, printMoves(w, moves)
}

// printMoves prints the moves and names the largest.
func printMoves(w io.Writer, moves []move) error {
	t := table{{"set", "seed", "records", "F1", "changed", "move", "B³", "changed", "move", "pairs", "changed"}}
	for i := range moves {
		v := &moves[i]
		cells := []string{v.Changed.Set, fmt.Sprint(v.Seed)}
		if v.failed() {
			cells = append(cells, "failed", "", "", "", "", "", "", "", "")
		} else {
			cells = append(cells, fmt.Sprint(v.Changed.Records),
				share(v.Plain.F1), share(v.Changed.F1), signed(v.f1()),
				share(v.Plain.BCubed), share(v.Changed.BCubed), signed(v.bcubed()),
				fmt.Sprint(v.Plain.Pairs), fmt.Sprint(v.Changed.Pairs))
		}
		t = append(t, cells)
	}
	if _, err := io.WriteString(w, t.text()); err != nil {
		return err
	}
	for i := range moves {
		for _, r := range []*row{&moves[i].Plain, &moves[i].Changed} {
			if r.Failed != "" {
				fmt.Fprintf(w, "%s, seed %d, failed: %s\n", r.Set, moves[i].Seed, r.Failed)
			}
		}
	}
	_, err := fmt.Fprintln(w, largest(moves))
	return err
}

// signed writes a difference with its sign, "=" for none at all.
func signed(x float64) string {
	if x == 0 {
		return "="
	}
	return fmt.Sprintf("%+.4f", x)
}

// largest is one line about the largest moves of F1.
func largest(moves []move) string {
	ran := slices.DeleteFunc(slices.Clone(moves), func(v move) bool { return v.failed() })
	if len(ran) == 0 {
		return "Largest moves of F1: no run to compare."
	}
	slices.SortStableFunc(ran, func(a, b move) int { return cmp.Compare(math.Abs(b.f1()), math.Abs(a.f1())) })
	if ran[0].f1() == 0 {
		return "Largest moves of F1: none moved."
	}
	line, sum := "Largest moves of F1:", 0.0
	for i := range ran {
		sum += math.Abs(ran[i].f1())
		if i < 3 && ran[i].f1() != 0 {
			line += fmt.Sprintf(" %s %s (seed %d),", ran[i].Changed.Set, signed(ran[i].f1()), ran[i].Seed)
		}
	}
	return fmt.Sprintf("%s mean of all %.4f.", line, sum/float64(len(ran)))
}
