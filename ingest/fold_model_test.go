package ingest

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// foldNight is what comes of one source in one night, as rows of text.
type foldNight struct {
	names []string // columns of the delta, the key first; nil = nothing came
	rows  [][]string
	lines int      // how many of the rows, the first ones, are of a JSON Lines file
	keys  []string // of the keys file; nil = none
}

// foldModel is the obvious Fold: a map of maps, and a list for the order.
type foldModel struct {
	order   []string
	records map[string]map[string]string
	report  FoldReport
}

// apply lays one night over the model.
func (m *foldModel) apply(n foldNight, mark string) {
	m.report = FoldReport{Before: len(m.order)}
	was := maps.Clone(m.records)
	ever := maps.Clone(m.records)
	rows, listed := map[string]int{}, map[string]int{}
	remove := func(key string) {
		if ever[key] == nil {
			m.report.UnknownDeletes++
		}
		delete(m.records, key)
	}
	var last []string
	m.report.OtherMarks = n.otherMarks(mark)
	for i, row := range n.rows {
		key := strings.TrimSpace(row[0])
		if key == "" {
			m.report.NullKeys++
			continue
		}
		if rows[key]++; rows[key] > 1 {
			m.report.RepeatedKeys++
		}
		now := map[string]string{}
		if i >= n.lines {
			maps.Copy(now, m.records[key]) // what its file does not have stays
		}
		deleted := false
		for k, name := range n.names {
			if name == mark {
				deleted = slices.Contains([]string{"d", "true"}, strings.ToLower(strings.TrimSpace(row[k])))
				continue
			}
			now[name] = row[k]
		}
		last = slices.DeleteFunc(last, func(k string) bool { return k == key })
		if deleted {
			remove(key)
			continue
		}
		m.records[key], ever[key] = now, now
		last = append(last, key)
	}
	for _, key := range n.keys {
		key = strings.TrimSpace(key)
		if key == "" {
			m.report.Rejected++
		} else if listed[key]++; listed[key] > 1 {
			m.report.RepeatedKeys++
		} else {
			remove(key)
		}
	}
	m.settle(was, last)
}

// otherMarks counts the marks that say something else than deleted.
func (n *foldNight) otherMarks(mark string) []MarkCount {
	at := slices.Index(n.names, mark)
	if at < 0 {
		return nil
	}
	counts := map[string]int{}
	for _, row := range n.rows {
		if text := strings.TrimSpace(row[at]); text != "" && !slices.Contains([]string{"d", "true"}, strings.ToLower(text)) {
			counts[text]++
		}
	}
	var list []MarkCount
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, MarkCount{text, counts[text]})
	}
	slices.SortStableFunc(list, func(a, b MarkCount) int { return b.Rows - a.Rows })
	return list
}

// settle lists the records in order and counts what changed.
func (m *foldModel) settle(was map[string]map[string]string, sent []string) {
	var order []string
	for _, key := range m.order {
		if m.records[key] == nil {
			m.report.Deleted++
			continue
		}
		order = append(order, key)
		if slices.Contains(sent, key) {
			if sameValues(was[key], m.records[key]) {
				m.report.Unchanged++
			} else {
				m.report.Changed++
			}
		}
	}
	for _, key := range sent {
		if was[key] == nil && m.records[key] != nil {
			m.report.Added++
			order = append(order, key)
		}
	}
	m.order = order
	m.report.After = len(order)
}

func sameValues(a, b map[string]string) bool {
	for _, name := range foldColumns {
		if a[name] != b[name] {
			return false
		}
	}
	return true
}

var foldColumns = []string{"id", "a", "b", "A", "c"}

// drawNight draws a night over few keys and values, so that they meet.
func drawNight(t *rapid.T, mark string) foldNight {
	var n foldNight
	if rapid.IntRange(0, 9).Draw(t, "came") > 0 {
		n.names = []string{"id"}
		for _, name := range foldColumns[1:] {
			if rapid.IntRange(0, 3).Draw(t, "has "+name) > 0 {
				n.names = append(n.names, name)
			}
		}
		count, format := rapid.IntRange(0, 8).Draw(t, "rows"), rapid.IntRange(0, 3).Draw(t, "format")
		switch format {
		case 0:
			n.lines = count
		case 1:
			n.lines = rapid.IntRange(0, count).Draw(t, "lines")
		}
		if mark != "" && (n.lines < count || rapid.Bool().Draw(t, "has mark")) {
			n.names = append(n.names, mark)
		}
		key := rapid.SampledFrom([]string{"1", "2", "3", " 4", "5 ", "5", "6", "7", "", "  "})
		value := rapid.SampledFrom([]string{"", "x", "y", "z", "Åbo", " x"})
		marked := rapid.SampledFrom([]string{"", "", "no", "No", "X ", "D", " true "})
		for range count {
			row := []string{key.Draw(t, "key")}
			for _, name := range n.names[1:] {
				if name == mark {
					row = append(row, marked.Draw(t, "mark"))
				} else {
					row = append(row, value.Draw(t, name))
				}
			}
			n.rows = append(n.rows, row)
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "keys came") == 0 {
		n.keys = rapid.SliceOfN(rapid.SampledFrom([]string{"1", "3", "5 ", "8", ""}), 0, 4).Draw(t, "keys")
	}
	return n
}

// fold lays a night over the records before, with several numbers of workers.
func (n foldNight) fold(t *rapid.T, before *Raw, mark string) (*Raw, []Reject, *FoldReport) {
	var delta *Raw
	if n.names != nil {
		delta = rawOfRows(nil, "s", n.names, n.rows)
		delta.Files = []File{
			{Path: "s.1.jsonl", Format: formatJSONL, Rows: n.lines},
			{Path: "s.2.csv", Format: formatCSV, Rows: len(n.rows) - n.lines},
		}
	}
	d := Deletes{Column: mark, Values: []string{"TRUE", " d"}}
	if n.keys != nil {
		rows := make([][]string, len(n.keys))
		for i, key := range n.keys {
			rows[i] = []string{key}
		}
		d.Keys = rawOfRows(nil, "gone", []string{"whatever"}, rows)
	}
	r, rejected, report, err := Fold(before, delta, "id", d, ReadOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	again, _, _, err := Fold(before, delta, "id", d, ReadOptions{Workers: 3})
	if err != nil || !reflect.DeepEqual(r, again) {
		t.Fatalf("three workers give another source, or error %v", err)
	}
	return r, rejected, report
}

// kept is what the next night reads back of a source.
func kept(r *Raw) *Raw {
	return &Raw{Source: r.Source, Rows: r.Rows, Columns: r.Columns}
}

// valueOf returns a row's value, "" where the column is missing.
func valueOf(r *Raw, row int, name string) string {
	if c := r.column(name); c != nil {
		return c.text(uint32(row))
	}
	return ""
}
