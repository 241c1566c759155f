package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// table holds what was measured.
type table struct {
	rows  []bar
	below int // figures below their floor
}

// bar is a figure beside what it has to reach.
type bar struct{ what, floor, aim, figure, ok string }

// atMost adds a figure of which less is better. A floor or an aim of 0 is none.
func (t *table) atMost(what, unit string, figure, floor, aim float64) {
	t.add(what, unit, figure, floor, aim, func(bound float64) bool { return figure <= bound })
}

// atLeast adds a figure of which more is better.
func (t *table) atLeast(what, unit string, figure, floor, aim float64) {
	t.add(what, unit, figure, floor, aim, func(bound float64) bool { return figure >= bound })
}

func (t *table) add(what, unit string, figure, floor, aim float64, reaches func(float64) bool) {
	text := func(x float64) string {
		if x == 0 {
			return "–"
		}
		return number(x) + unit
	}
	b := bar{what, text(floor), text(aim), number(figure) + unit, "–"}
	switch {
	case aim != 0 && reaches(aim):
		b.ok = "aim"
	case floor != 0 && reaches(floor):
		b.ok = "floor"
	case floor != 0:
		b.ok = "BELOW"
		t.below++
	}
	t.rows = append(t.rows, b)
}

// none adds a count that must be 0.
func (t *table) none(what string, count int) {
	b := bar{what, "0", "–", fmt.Sprint(count), "floor"}
	if count != 0 {
		b.ok = "BELOW"
		t.below++
	}
	t.rows = append(t.rows, b)
}

// tell adds a figure without a bar.
func (t *table) tell(what, format string, args ...any) {
	t.rows = append(t.rows, bar{what, "–", "–", fmt.Sprintf(format, args...), "–"})
}

// number writes a figure with about three digits.
func number(x float64) string {
	switch {
	case x >= 1e15:
		return "∞"
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

func (t *table) print(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "bar\tfloor\taim\tfigure\tok")
	for _, b := range t.rows {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", b.what, b.floor, b.aim, b.figure, b.ok)
	}
	out.Flush()
}
