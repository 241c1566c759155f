package main

import (
	"fmt"
	"io"
)

// print shows the evaluation as tables.
func (e *evaluation) print(w io.Writer) {
	fmt.Fprintf(w, "Run %s: %s with a known truth, %s left out", e.Run, plural(e.Records, "record", "records"), count(e.Unknown))
	if e.Unmatched > 0 {
		fmt.Fprintf(w, ", %s of the truth without a record", plural(e.Unmatched, "row", "rows"))
	}
	fmt.Fprintf(w, ".\n\n")
	t := newTable("", "precision", "recall", "F1", "").right(2, 3, 4)
	t.row("pairs", share(e.Precision), share(e.Recall), share(e.F1), fmt.Sprintf("%s found, %s true, %s right", count(e.FoundPairs), count(e.TruePairs), count(e.RightPairs)))
	t.row("B-cubed", share(e.B3Precision), share(e.B3Recall), share(e.B3F1), "averaged over records")
	t.row("exact identities", share(e.ExactPrecision), share(e.Exact), share(e.ExactF1), fmt.Sprintf("%s found, %s true, %s the same", count(e.Identities), count(e.TrueIdentities), count(e.ExactIdentities)))
	t.write(w, "  ")
	fmt.Fprintf(w, "\nBlocking recall %s: the true pairs that a blocking rule brings together. Matching recall %s: of these, those found.\n", share(e.BlockingRecall), share(e.MatchingRecall))
	fmt.Fprintln(w)
	t = newTable("by sources", "true pairs", "precision", "recall", "F1").right(2, 3, 4, 5)
	for _, s := range e.BySources {
		name := s.A + " – " + s.B
		if s.A == s.B {
			name = "within " + s.A
		}
		t.row(name, count(s.True), share(s.Precision), share(s.Recall), share(s.F1))
	}
	t.write(w, "  ")
	fmt.Fprintln(w)
	t = newTable("threshold", "precision", "recall", "F1", "B-cubed F1", "expected precision", "expected recall", "expected F1", "").right(1, 2, 3, 4, 5, 6, 7, 8)
	for _, x := range e.Thresholds {
		mark := ""
		if x.Bits == e.Threshold {
			mark = "← this run"
		}
		t.row(bits(x.Bits), share(x.Precision), share(x.Recall), share(x.F1), share(x.B3F1), share(x.ExpectedPrecision), share(x.ExpectedRecall), share(x.ExpectedF1), mark)
	}
	t.write(w, "  ")
	printMistakes(w, "Worst false merges", e.FalseMerges)
	printMistakes(w, "Worst misses", e.Misses)
}

// share writes a share to four digits.
func share(x float64) string { return fmt.Sprintf("%.4f", x) }

// printMistakes shows pairs that the run got wrong, the values of each
// comparison side by side.
func printMistakes(w io.Writer, title string, list []mistake) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, m := range list {
		fmt.Fprintf(w, "\n  %s and %s, %s\n", printable(m.A), printable(m.B), m.weight())
		x := m.Explanation
		if x == nil {
			continue
		}
		t := newTable().right(4)
		for _, s := range x.Steps {
			if s.A == "" && s.B == "" {
				continue
			}
			t.row(s.Comparison, shorten(s.A, 34), shorten(s.B, 34), bits(s.Bits), shorten(s.Level, 60))
		}
		t.write(w, "    ")
		rules := "no blocking rule brings them together"
		switch {
		case len(x.Rules) > 0:
			rules = "brought together by " + someOf(x.Rules, 3)
		case x.Equal:
			rules = "equal in all that is compared"
		}
		fmt.Fprintf(w, "    prior %s, in all %s; %s\n", bits(x.Prior+x.OtherKinds), bits(x.Weight), rules)
	}
}

// weight says what the run knows of the pair's weight. It keeps no edge of a
// pair whose weight is below the floor.
func (m *mistake) weight() string {
	floor := bits(edgeFloor.Bits())
	switch {
	case m.Weight != nil:
		return bits(*m.Weight) + " bits"
	case m.Compared:
		return "compared, weight below " + floor + " bits"
	}
	return "never compared"
}
