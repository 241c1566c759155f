package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// count writes a number with spaces between its thousands.
func count[T ~int | ~int64 | ~uint32 | ~uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// percent writes a share.
func percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// bits writes a match weight with its sign.
func bits(x float64) string { return fmt.Sprintf("%+.2f", x) }

// plural writes a number with the word for one or for several.
func plural[T ~int | ~int64](n T, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + several
}

// newTable makes a table without lines whose columns named in right are
// aligned to the right.
func newTable(header ...string) *textTable {
	t := &textTable{table.NewWriter()}
	style := table.StyleDefault
	style.Format.Header = text.FormatDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.w.SetStyle(style)
	if len(header) > 0 {
		row := make(table.Row, len(header))
		for i, h := range header {
			row[i] = h
		}
		t.w.AppendHeader(row)
	}
	return t
}

// textTable lays rows out in columns.
type textTable struct{ w table.Writer }

// right aligns columns, numbered from 1, to the right.
func (t *textTable) right(columns ...int) *textTable {
	var configs []table.ColumnConfig
	for _, c := range columns {
		configs = append(configs, table.ColumnConfig{Number: c, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.w.SetColumnConfigs(configs)
	return t
}

func (t *textTable) row(cells ...any) {
	for i, c := range cells {
		if s, ok := c.(string); ok {
			cells[i] = printable(s)
		}
	}
	t.w.AppendRow(cells)
}

// write prints the table, each line indented.
func (t *textTable) write(w io.Writer, indent string) {
	for line := range strings.SplitSeq(t.w.Render(), "\n") {
		fmt.Fprintln(w, strings.TrimRight(indent+line, " "))
	}
}

// printable makes a value from the data fit for a terminal: control characters,
// which could move the cursor or hide text, become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// shorten cuts a text to n runes.
func shorten(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}

// printJSON writes a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// someOf lists the first n of several things.
func someOf(list []string, n int) string {
	if len(list) <= n {
		return joinComma(list)
	}
	return fmt.Sprintf("%s and %d more", joinComma(list[:n]), len(list)-n)
}
