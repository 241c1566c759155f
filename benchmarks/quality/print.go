package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

func printJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// printTable prints the rows with their floors and what a Splink expert reached.
func printTable(w io.Writer, rows []row) error {
	t := table{{"set", "records", "P", "R", "F1", "B³", "exact", "floor F1/B³", "", "expert F1/B³", "own F1", "bits", "pairs", "wall s", "CPU s", "MiB"}}
	missing := 0
	for i := range rows {
		r := &rows[i]
		missing += r.Missing
		floor, expert := "", ""
		if r.Floor != nil {
			floor, expert = share(r.Floor.F1)+" "+share(r.Floor.BCubed), share(r.Expert.F1)+" "+share(r.Expert.BCubed)
		}
		if r.Failed != "" {
			t = append(t, []string{r.Set, "", "", "", "", "", "", floor, r.verdict(), expert, "", "", "", "", "", ""})
			continue
		}
		own := ""
		if r.Expected != nil {
			own = share(*r.Expected)
		}
		t = append(t, []string{
			r.Set, strconv.Itoa(r.Records), share(r.Precision), share(r.Recall), share(r.F1), share(r.BCubed), share(r.Exact),
			floor, r.verdict(), expert, own, fmt.Sprintf("%.1f", r.Threshold), strconv.FormatInt(r.Pairs, 10),
			fmt.Sprintf("%.2f", r.Wall), fmt.Sprintf("%.2f", r.CPU), strconv.FormatInt(r.Peak>>20, 10),
		})
	}
	if _, err := io.WriteString(w, t.text()); err != nil {
		return err
	}
	for i := range rows {
		if f := rows[i].Failed; f != "" {
			fmt.Fprintf(w, "%s failed: %s\n", rows[i].Set, f)
		}
	}
	if missing > 0 {
		fmt.Fprintf(w, "%d records were rejected; each counts as an identity of its own\n", missing)
	}
	return nil
}

// share writes a share with four decimals.
func share(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

// table is rows of cells, a header first.
type table [][]string

// text aligns the cells: the first column to the left, the others to the right.
func (t table) text() string {
	widths := make([]int, len(t[0]))
	for _, cells := range t {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, cells := range t {
		var line strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				line.WriteString(c + pad)
			} else {
				line.WriteString("  " + pad + c)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
