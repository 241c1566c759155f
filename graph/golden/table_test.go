package golden

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"sama/graph"
	"sama/record"
)

// line is one record of a test table. A value's normal form is its lower case;
// "!" before it makes it generic, "?" not understood.
type line struct {
	source, id       string
	cluster          uint32
	created, updated int64
	values           []string
}

// build makes a table and its clusters. A column named for a field, with or
// without a number, is of that field; others are carried.
func build(t testing.TB, names []string, lines []line) (*record.Table, *graph.Clusters) {
	lines = slices.Clone(lines)
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(strings.Compare(a.source, b.source), strings.Compare(a.id, b.id))
	})
	tab := &record.Table{Created: make([]int64, len(lines)), Updated: make([]int64, len(lines))}
	var ids record.StringsBuilder
	labels := make([]uint32, len(lines))
	for i, l := range lines {
		if n := len(tab.Sources); n == 0 || tab.Sources[n-1] != l.source {
			tab.Sources = append(tab.Sources, l.source)
		}
		tab.Source = append(tab.Source, uint16(len(tab.Sources)-1))
		_, _ = ids.Append(l.id)
		labels[i], tab.Created[i], tab.Updated[i] = l.cluster, l.created, l.updated
	}
	tab.IDs = ids.Build()
	for c, name := range names {
		col := &record.Column{Name: name}
		if f, err := record.ParseField(numberless(name)); err == nil {
			col.Field = f
		}
		if strings.HasPrefix(name, "date") {
			col.Field = record.Date
		}
		var raw, normal record.Interner
		generic := []bool{false}
		for _, l := range lines {
			text := strings.TrimLeft(l.values[c], "!?")
			form := strings.ToLower(text)
			if strings.HasPrefix(l.values[c], "?") {
				form = ""
			}
			col.Raw = append(col.Raw, raw.Code(text))
			code := normal.Code(form)
			if int(code) == len(generic) {
				generic = append(generic, strings.HasPrefix(l.values[c], "!"))
			}
			col.Code = append(col.Code, code)
		}
		col.Generic = generic
		col.Count = make([]uint32, normal.Len())
		for _, code := range col.Code {
			col.Count[code]++
		}
		col.RawText, _ = raw.Strings()
		col.Normal, _ = normal.Strings()
		tab.Columns = append(tab.Columns, col)
	}
	if err := tab.Check(); err != nil {
		t.Fatal(err)
	}
	return tab, graph.ClustersOf(labels)
}
