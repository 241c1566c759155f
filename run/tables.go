package run

import (
	"cmp"
	"slices"
	"sort"

	"sama/graph"
	"sama/record"
	"sama/run/columns"
)

// table is one Parquet file to be written.
type table struct {
	rows    int
	columns []columns.Column
}

// tableFile is a table by file name, built when its turn comes.
type tableFile struct {
	name  string
	build func() table
}

// tables returns every Parquet file of the run directory, the largest first.
func (l *layout) tables() []tableFile {
	files := []tableFile{
		{"provenance.parquet", l.provenance},
		{"golden.parquet", l.golden},
		{"members.parquet", l.memberTable},
		{"edges.parquet", l.edges},
		{"events.parquet", l.events},
	}
	if l.Content.Consents != nil {
		files = append(files, tableFile{consentsFile, l.consentTable})
	}
	for s, name := range l.Table.Sources {
		files = append(files, tableFile{RecordsFile(name), func() table { return l.records(uint16(s)) }})
	}
	return append(files,
		tableFile{"aliases.parquet", l.aliases},
		tableFile{"rejects.parquet", l.rejects})
}

// RecordsFile returns the name of a source's records file in the run directory.
func RecordsFile(source string) string { return "records/" + source + ".parquet" }

// text is a column of strings by code.
func text(name string, codes []uint32, texts columns.Texts, nulls columns.Nulls) columns.Column {
	return columns.Column{Leaf: columns.Leaf{Name: name, Codes: codes, Texts: texts, Nulls: nulls}}
}

// sourceAndID are the two columns that name the records; null for NoRecord
// where nulls is LastIsNull.
func (l *layout) sourceAndID(sourceName, idName string, records []uint32, nulls columns.Nulls) []columns.Column {
	sources := make([]uint32, len(records))
	for i, r := range records {
		sources[i] = columns.NoCode
		if r != NoRecord {
			sources[i] = l.source[r]
		}
	}
	return []columns.Column{
		text(sourceName, sources, l.sources, nulls),
		text(idName, records, l.recordIDs, nulls),
	}
}

// memberTable has one row a record, in the order of the table: by source and
// record id.
func (l *layout) memberTable() table {
	cols := []columns.Column{
		text("source", l.source, l.sources, columns.NoNulls),
		text("record_id", nil, l.recordIDs, columns.NoNulls),
		text("identity_id", l.Identity, l.idTexts, columns.NoNulls),
		{Leaf: columns.Leaf{Name: "founding", Kind: columns.Bool, Codes: l.founding()}},
		{Leaf: columns.Leaf{Name: "fingerprint", Kind: columns.Int, Ints: signed(l.Fingerprint)}},
	}
	cols[0].Sorted = true
	cols = append(cols, l.sourceAndID("joined_by_source", "joined_by_record_id", l.joined, columns.LastIsNull)...)
	cols = append(cols, columns.Column{Leaf: columns.Leaf{
		Name: "joined_by_weight", Kind: columns.Double, Codes: l.weight, Doubles: l.weights.bits, Nulls: columns.LastIsNull,
	}})
	return table{l.Table.Len(), cols}
}

// goldenFixed are the columns of golden.parquet that are always there.
var goldenFixed = []string{"identity_id", "record_count", "sources", "first_seen", "last_changed"}

// golden has one row an identity, in the order of the identities' first records.
func (l *layout) golden() table {
	cols := []columns.Column{text("identity_id", nil, l.ids, columns.NoNulls)}
	for i := range l.Golden {
		codes := make([]uint32, len(l.order))
		for row, id := range l.order {
			codes[row] = l.value(i, id)
		}
		cols = append(cols, text(l.names[i], codes, l.raw[i], columns.ZeroIsNull))
	}
	counts, most := make([]uint32, len(l.order)), uint32(0)
	for row, id := range l.order {
		counts[row] = uint32(len(l.of(id)))
		most = max(most, counts[row])
	}
	first, last := l.times()
	cols = append(cols,
		columns.Column{Leaf: columns.Leaf{Name: "record_count", Kind: columns.Int, Codes: counts, Ints: upTo(most)}},
		l.sourceLists(),
		columns.Column{Leaf: columns.Leaf{Name: "first_seen", Kind: columns.Time, Ints: first, Nulls: columns.ZeroIsNull}},
		columns.Column{Leaf: columns.Leaf{Name: "last_changed", Kind: columns.Time, Ints: last, Nulls: columns.ZeroIsNull}})
	return table{len(l.order), cols}
}

// upTo returns the numbers 0 to most.
func upTo(most uint32) []int64 {
	all := make([]int64, int(most)+1)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

// sourceLists lists the distinct sources of every identity. Its records
// ascend, so equal sources stand together.
func (l *layout) sourceLists() columns.Column {
	starts := make([]uint32, 1, len(l.order)+1)
	codes := make([]uint32, 0, len(l.order))
	for _, id := range l.order {
		first := len(codes)
		for _, r := range l.of(id) {
			if s := l.source[r]; len(codes) == first || codes[len(codes)-1] != s {
				codes = append(codes, s)
			}
		}
		starts = append(starts, uint32(len(codes)))
	}
	return columns.Column{
		Leaf:     columns.Leaf{Name: "sources"},
		Starts:   starts,
		Elements: []columns.Leaf{{Codes: codes, Texts: l.sources}},
	}
}

// founding marks the records that found their identities.
func (l *layout) founding() []uint32 {
	marks := make([]uint32, len(l.Identity))
	for _, r := range l.Assigned.Founder {
		marks[r] = 1
	}
	return marks
}

// signed returns hashes as Parquet's signed integers.
func signed(hashes []uint64) []int64 {
	out := make([]int64, len(hashes))
	for i, h := range hashes {
		out[i] = int64(h)
	}
	return out
}

// times returns for every identity when a source first made a record of it and
// when one last changed, in Unix seconds, 0 where no source says.
func (l *layout) times() (first, last []int64) {
	first, last = make([]int64, len(l.order)), make([]int64, len(l.order))
	for row, id := range l.order {
		t := timesOf(l.Table, l.of(id))
		if l.Times != nil {
			t = t.and(l.Times[id])
		}
		first[row], last[row] = t.First, t.Changed
	}
	return first, last
}

// edges has one row a scored pair, by record a, then b.
func (l *layout) edges() table {
	order := l.edgeOrder()
	n := len(order)
	a, b := make([]uint32, n), make([]uint32, n)
	weight, rule := make([]uint32, n), make([]uint32, n)
	for row, e := range order {
		a[row], b[row] = l.Edges[e].A, l.Edges[e].B
		weight[row], rule[row] = l.weights.codes[e], uint32(l.Rule[e])
	}
	cols := append(l.sourceAndID("source_a", "record_id_a", a, columns.NoNulls),
		l.sourceAndID("source_b", "record_id_b", b, columns.NoNulls)...)
	cols = append(cols,
		columns.Column{Leaf: columns.Leaf{Name: "match_weight", Kind: columns.Double, Codes: weight, Doubles: l.weights.bits}},
		columns.Column{Leaf: columns.Leaf{Name: "probability", Kind: columns.Double, Codes: weight, Doubles: l.weights.probabilities}},
		text("blocking_rule", rule, columns.List(l.BlockingRules), columns.NoNulls))
	names := make([]string, len(l.Comparisons))
	for i, c := range l.Comparisons {
		names[i] = "level_" + c.Name
	}
	for i, name := range distinctNames(nil, names) {
		codes := make([]uint32, n)
		for row, e := range order {
			codes[row] = columns.NoCode
			if level := l.Levels[int(e)*len(l.Comparisons)+i]; level != NoLevel {
				codes[row] = uint32(level)
			}
		}
		cols = append(cols, text(name, codes, columns.List(l.Comparisons[i].Levels), columns.LastIsNull))
	}
	return table{n, cols}
}

// edgeOrder returns the edges by A, then B.
func (l *layout) edgeOrder() []uint32 {
	order := make([]uint32, len(l.Edges))
	for i := range order {
		order[i] = uint32(i)
	}
	byPair := func(i, j uint32) int {
		x, y := l.Edges[i], l.Edges[j]
		return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	}
	if !slices.IsSortedFunc(order, byPair) {
		slices.SortFunc(order, byPair)
	}
	return order
}

// events has one row an event, in the order of the assignment: by cluster, which
// is the order of golden.parquet, then those of ids that ended.
func (l *layout) events() table {
	events := l.Assigned.Events
	n := len(events)
	ids, other := make([]graph.IdentityID, n), make([]graph.IdentityID, n)
	kinds := make([]uint32, n)
	lists := make([][]uint32, n)
	for i, e := range events {
		ids[i], other[i], kinds[i], lists[i] = e.Identity, e.Other, uint32(e.Kind), e.Records
	}
	var names columns.List
	for _, k := range graph.EventKinds() {
		names = append(names, k.String())
	}
	return table{n, []columns.Column{
		text("event", kinds, names, columns.NoNulls),
		text("identity_id", nil, idTexts(ids), columns.NoNulls),
		l.idsOrNull("other_identity_id", other),
		l.recordLists(lists),
	}}
}

// aliases has one row an identity id that was issued and is not live, ascending.
func (l *layout) aliases() table {
	dormant := l.Assigned.Dormant
	n := len(dormant)
	ids, into := make([]graph.IdentityID, n), make([]graph.IdentityID, n)
	ended := make([]int64, n)
	founders := make([]uint32, n)
	lists := make([][]uint32, n)
	for i, d := range dormant {
		ids[i], into[i], ended[i], founders[i], lists[i] = d.ID, d.Into, int64(d.Ended), d.Founder, d.Records
	}
	cols := []columns.Column{
		text("identity_id", nil, idTexts(ids), columns.NoNulls),
		l.idsOrNull("surviving_identity_id", into),
		{Leaf: columns.Leaf{Name: "ended", Kind: columns.Int, Ints: ended, Nulls: columns.ZeroIsNull}},
	}
	cols = append(cols, l.knownRecords("founding_source", "founding_record_id", founders, columns.LastIsNull)...)
	return table{n, append(cols, l.recordLists(lists))}
}

// idsOrNull is a column of identity ids, null for 0.
func (l *layout) idsOrNull(name string, ids []graph.IdentityID) columns.Column {
	texts := append(columns.List{""}, idTexts(ids)...)
	codes := make([]uint32, len(ids))
	for i, id := range ids {
		if id != 0 {
			codes[i] = uint32(i + 1)
		}
	}
	return text(name, codes, texts, columns.ZeroIsNull)
}

// recordLists is a column of lists of record keys.
func (l *layout) recordLists(lists [][]uint32) columns.Column {
	starts := make([]uint32, 1, len(lists)+1)
	records := []uint32{} // not nil: no codes would mean all of them
	for _, list := range lists {
		records = append(records, list...)
		starts = append(starts, uint32(len(records)))
	}
	key := l.knownRecords("source", "record_id", records, columns.NoNulls)
	return columns.Column{Leaf: columns.Leaf{Name: "records"}, Starts: starts, Elements: []columns.Leaf{key[0].Leaf, key[1].Leaf}}
}

// knownRecords are the two columns that name records, also those that are gone.
func (l *layout) knownRecords(sourceName, idName string, records []uint32, nulls columns.Nulls) []columns.Column {
	if len(l.Gone) == 0 {
		return l.sourceAndID(sourceName, idName, records, nulls)
	}
	names := slices.Clone(l.Table.Sources)
	number := make(map[string]uint32, len(names))
	for i, name := range names {
		number[name] = uint32(i)
	}
	n := uint32(l.Table.Len())
	sources := make([]uint32, len(records))
	for i, r := range records {
		switch {
		case r == NoRecord:
			sources[i] = columns.NoCode
		case r < n:
			sources[i] = l.source[r]
		default:
			name := l.Gone[r-n].Source
			code, ok := number[name]
			if !ok {
				code = uint32(len(names))
				number[name] = code
				names = append(names, name)
			}
			sources[i] = code
		}
	}
	return []columns.Column{
		text(sourceName, sources, columns.List(names), nulls),
		text(idName, records, withGone{l.recordIDs, n, l.Gone}, nulls),
	}
}

// withGone are the ids of all records that are known, those that are gone last.
type withGone struct {
	ids  columns.Texts
	n    uint32
	gone []record.Key
}

func (w withGone) Len() int { return int(w.n) + len(w.gone) }

func (w withGone) At(i uint32) string {
	if i < w.n {
		return w.ids.At(i)
	}
	return w.gone[i-w.n].ID
}

// records has one row a record of the source, by record id, with the normal
// form of every column that the source fills.
func (l *layout) records(source uint16) table {
	from := sort.Search(l.Table.Len(), func(i int) bool { return l.Table.Source[i] >= source })
	to := sort.Search(l.Table.Len(), func(i int) bool { return l.Table.Source[i] > source })
	ids := columns.Column{Leaf: columns.Leaf{
		Name: "record_id", Texts: part{l.recordIDs, uint32(from), to - from}, Sorted: true,
	}}
	cols := []columns.Column{ids}
	var names []string
	for i, c := range l.Table.Columns {
		if codes := c.Code[from:to]; slices.ContainsFunc(codes, func(code uint32) bool { return code != 0 }) {
			names = append(names, c.Name)
			cols = append(cols, text(c.Name, codes, l.normal[i], columns.ZeroIsNull))
		}
	}
	for i, name := range distinctNames([]string{"record_id"}, names) {
		cols[i+1].Name = name
	}
	return table{to - from, cols}
}

// part is a stretch of a list of strings.
type part struct {
	all  columns.Texts
	from uint32
	n    int
}

func (p part) Len() int           { return p.n }
func (p part) At(i uint32) string { return p.all.At(p.from + i) }

// rejects has one row a refused piece of input, by file, row and column.
func (l *layout) rejects() table {
	all := slices.Clone(l.Rejects)
	slices.SortFunc(all, func(a, b Reject) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Value, b.Value))
	})
	rows := make([]int64, len(all))
	texts := make([]columns.List, 4)
	for i, r := range all {
		rows[i] = r.Row
		for j, s := range []string{r.File, r.Column, r.Reason, r.Value} {
			texts[j] = append(texts[j], s)
		}
	}
	coded := func(name string, list columns.List, nulls columns.Nulls) columns.Column {
		var in record.Interner
		codes := make([]uint32, len(list))
		distinct := columns.List{""}
		for i, s := range list {
			if codes[i] = in.Code(s); int(codes[i]) == len(distinct) {
				distinct = append(distinct, s)
			}
		}
		return text(name, codes, columns.Valid(distinct), nulls)
	}
	return table{len(all), []columns.Column{
		coded("file", texts[0], columns.NoNulls),
		{Leaf: columns.Leaf{Name: "row", Kind: columns.Int, Ints: rows, Nulls: columns.ZeroIsNull}},
		coded("column", texts[1], columns.ZeroIsNull),
		coded("reason", texts[2], columns.NoNulls),
		coded("value", texts[3], columns.ZeroIsNull),
	}}
}
