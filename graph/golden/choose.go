package golden

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"sama/record"
)

// nestLimit is the number of distinct rows in a cluster up to which rows that
// say no more than others support them.
const nestLimit = 512

// worker decides one cluster after the other, reusing its memory.
type worker struct {
	m    *merger
	u    *unit
	lost [][]Losing // column of the unit → what lost in the chunk

	members []uint32
	row     []int32          // member → its distinct row, −1 where it has none that may win
	first   []uint32         // distinct row → the first record that holds it
	rows    map[uint64]int32 // hash of a row → distinct row; used above few rows
	up      [][]int32        // distinct row → the candidates that it supports
	alive   []int32          // candidates
	whole   []int32          // candidates that no other holds
	value   []int64          // candidate → measure
	last    []int32          // candidate → last source counted, plus 1
	holders []uint32
	codes   []uint64
	measure [][]int64 // rule → candidate → measure, for aggregate
}

// cluster decides the unit for cluster k.
func (w *worker) cluster(k uint32) {
	w.members = w.m.c.At(k)
	chosen, kind := NoRecord, NoValue
	switch {
	case len(w.members) == 1:
		chosen, kind = w.single(k)
	case w.agree(k):
		if len(w.first) > 0 {
			chosen, kind = w.shown(0), OnlyValue
			if w.generic(w.first[0]) {
				kind = Generic
			}
		}
	default:
		chosen, kind = w.cascade()
	}
	for i, c := range w.u.columns {
		r, why := chosen, kind
		if f, ok := w.m.fixed[place{k, c}]; ok {
			r, why = f, Fixed
		}
		if r == NoRecord || w.m.t.Columns[c].Code[r] == 0 {
			r, why = NoRecord, NoValue
		}
		col := &w.m.columns[c]
		col.Chosen[k], col.Rule[k] = r, why
		before := len(w.lost[i])
		if len(w.members) > 1 || r == NoRecord {
			w.losing(i, r)
		}
		col.LosingStart[k+1] = uint32(len(w.lost[i]) - before)
	}
}

// single decides a cluster of one record.
func (w *worker) single(k uint32) (uint32, Kind) {
	r := w.members[0]
	switch {
	case !w.eligible(k, r):
		return NoRecord, NoValue
	case w.generic(r):
		return r, Generic
	}
	return r, OnlyValue
}

// eligible reports whether a record has a row that may win at all.
func (w *worker) eligible(k, r uint32) bool {
	t := w.m.t
	if w.u.barred != nil && w.u.barred[t.Source[r]] {
		return false
	}
	some := false
	for _, c := range w.u.columns {
		some = some || t.Columns[c].Code[r] != 0
	}
	if !some {
		return false
	}
	for _, b := range w.u.before {
		if shown := w.m.columns[b].Chosen[k]; shown != NoRecord && t.Columns[b].Value(shown) == t.Columns[w.u.columns[0]].Value(r) {
			return false
		}
	}
	return true
}

func (w *worker) generic(r uint32) bool {
	for _, i := range w.u.columns {
		if c := w.m.t.Columns[i]; c.Generic != nil && c.Generic[c.Code[r]] {
			return true
		}
	}
	return false
}

// agree finds the distinct rows and reports whether there is at most one.
func (w *worker) agree(k uint32) bool {
	w.row, w.first = w.row[:0], w.first[:0]
	clear(w.rows)
	for _, r := range w.members {
		n := int32(-1)
		if w.eligible(k, r) {
			n = w.distinct(r)
		}
		w.row = append(w.row, n)
	}
	return len(w.first) <= 1
}

// distinct returns the number of a record's row, giving it the next at first
// sight.
func (w *worker) distinct(r uint32) int32 {
	const few = 16
	if len(w.first) <= few {
		for n, f := range w.first {
			if w.equal(f, r) {
				return int32(n)
			}
		}
	} else {
		if w.rows == nil {
			w.rows = make(map[uint64]int32)
		}
		if len(w.rows) == 0 {
			for n, f := range w.first {
				w.place(f, int32(n))
			}
		}
		if n, ok := w.find(r); ok {
			return n
		}
	}
	n := int32(len(w.first))
	w.first = append(w.first, r)
	if len(w.rows) > 0 {
		w.place(r, n)
	}
	return n
}

// find looks a row up among those placed: at its hash and onwards.
func (w *worker) find(r uint32) (int32, bool) {
	for h := w.hash(r); ; h++ {
		n, ok := w.rows[h]
		if !ok {
			return 0, false
		}
		if w.equal(w.first[n], r) {
			return n, true
		}
	}
}

func (w *worker) place(r uint32, n int32) {
	h := w.hash(r)
	for {
		if _, ok := w.rows[h]; !ok {
			w.rows[h] = n
			return
		}
		h++
	}
}

func (w *worker) hash(r uint32) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range w.u.columns {
		h = (h ^ uint64(w.m.t.Columns[c].Code[r])) * 1099511628211
	}
	return h
}

func (w *worker) equal(a, b uint32) bool {
	for _, c := range w.u.columns {
		if code := w.m.t.Columns[c].Code; code[a] != code[b] {
			return false
		}
	}
	return true
}

// within reports whether the row of record a says no more than that of b.
func (w *worker) within(a, b uint32) bool {
	for _, c := range w.u.columns {
		if code := w.m.t.Columns[c].Code; code[a] != 0 && code[a] != code[b] {
			return false
		}
	}
	return true
}

// cascade returns the record that is shown and what decided, where there are
// several distinct rows.
func (w *worker) cascade() (uint32, Kind) {
	onlyGeneric := w.candidates()
	kind := OnlyValue
	for i := range w.u.rules {
		if len(w.alive) == 1 {
			break
		}
		w.weigh(&w.u.rules[i])
		w.best()
		kind = w.u.rules[i].kind
	}
	if len(w.alive) > 1 {
		w.alive[0], kind = slices.MinFunc(w.alive, func(a, b int32) int { return w.compare(w.first[a], w.first[b]) }), Smallest
	}
	if onlyGeneric {
		kind = Generic
	}
	return w.shown(w.alive[0]), kind
}

// candidates sets alive to the rows that stand to win, and up to which of them
// each row supports. It reports whether all are generic.
func (w *worker) candidates() (onlyGeneric bool) {
	w.alive = w.alive[:0]
	for n, f := range w.first {
		if !w.generic(f) {
			w.alive = append(w.alive, int32(n))
		}
	}
	if onlyGeneric = len(w.alive) == 0; onlyGeneric {
		for n := range w.first {
			w.alive = append(w.alive, int32(n))
		}
	}
	for len(w.up) < len(w.first) {
		w.up = append(w.up, nil)
	}
	for n := range w.first {
		w.up[n] = w.up[n][:0]
	}
	if len(w.u.columns) == 1 || len(w.alive) > nestLimit {
		for _, n := range w.alive {
			w.up[n] = append(w.up[n], n)
		}
		return onlyGeneric
	}
	w.whole = w.whole[:0]
	for _, n := range w.alive {
		nested := false
		for _, o := range w.alive {
			nested = nested || o != n && w.within(w.first[n], w.first[o])
		}
		if !nested {
			w.whole = append(w.whole, n)
		}
	}
	for _, n := range w.alive {
		for _, o := range w.whole {
			if w.within(w.first[n], w.first[o]) {
				w.up[n] = append(w.up[n], o)
			}
		}
	}
	w.alive, w.whole = w.whole, w.alive
	return onlyGeneric
}

// weigh sets value to a rule's measure of every candidate.
func (w *worker) weigh(s *step) {
	w.value = slices.Grow(w.value[:0], len(w.first))[:len(w.first)]
	w.last = slices.Grow(w.last[:0], len(w.first))[:len(w.first)]
	for i := range w.value {
		w.value[i], w.last[i] = math.MinInt64, 0
	}
	t := w.m.t
	if s.kind == Longest {
		for _, n := range w.alive {
			w.value[n] = 0
			for _, c := range w.u.columns {
				w.value[n] += int64(utf8.RuneCountInString(t.Columns[c].Value(w.first[n])))
			}
		}
		return
	}
	for i, r := range w.members {
		if w.row[i] < 0 {
			continue
		}
		source := t.Source[r]
		for _, n := range w.up[w.row[i]] {
			v := &w.value[n]
			switch s.kind {
			case MostFrequent:
				// Members are in the order of sources, so a source's records follow each other.
				if next := int32(source) + 1; !s.bySources || w.last[n] != next {
					*v = max(*v, 0) + 1
					w.last[n] = next
				}
			case SourcePriority:
				*v = max(*v, s.rank[source])
			case MostRecent:
				*v = max(*v, s.times[r])
			case FirstSeen:
				if s.times[r] != noTime {
					*v = max(*v, -s.times[r])
				}
			case MostComplete:
				*v = max(*v, w.filled(r))
			case Trust:
				*v = max(*v, s.trusted(source, r))
			}
		}
	}
}

// filled returns the number of fields that a record fills, of the group or, for
// a column without one, of all.
func (w *worker) filled(r uint32) (n int64) {
	if len(w.u.columns) == 1 {
		for _, c := range w.m.t.Columns {
			if c.Code[r] != 0 {
				n++
			}
		}
		return n
	}
	for _, c := range w.u.columns {
		if w.m.t.Columns[c].Code[r] != 0 {
			n++
		}
	}
	return n
}

// best leaves the candidates of the greatest measure alive.
func (w *worker) best() {
	most := int64(math.MinInt64)
	for _, n := range w.alive {
		most = max(most, w.value[n])
	}
	w.alive = slices.DeleteFunc(w.alive, func(n int32) bool { return w.value[n] != most })
}

// compare orders the rows of two records by their normal forms, column by
// column, nulls last.
func (w *worker) compare(a, b uint32) int {
	for _, i := range w.u.columns {
		if c := compareText(w.m.t.Columns[i].Value(a), w.m.t.Columns[i].Value(b)); c != 0 {
			return c
		}
	}
	return 0
}

func compareText(a, b string) int {
	if (a == "") != (b == "") {
		return cmp.Compare(len(b), len(a))
	}
	return strings.Compare(a, b)
}

// shown returns the record that stands for row n: of those that hold it in
// their most frequent raw form, then the smallest raw form, the first.
func (w *worker) shown(n int32) uint32 {
	w.holders = w.holders[:0]
	for i, r := range w.members {
		if w.row[i] == n {
			w.holders = append(w.holders, r)
		}
	}
	return commonest(w.m.t, w.u.columns, w.holders)
}

// commonest returns the first of the ascending records with the most frequent
// raw row, the smallest by text among equals. It reorders records.
func commonest(t *record.Table, columns []int, records []uint32) uint32 {
	same := true
	for _, r := range records[1:] {
		for _, c := range columns {
			same = same && t.Columns[c].Raw[r] == t.Columns[c].Raw[records[0]]
		}
	}
	if same {
		return records[0]
	}
	raw := func(a, b uint32) int {
		for _, c := range columns {
			if x := cmp.Compare(t.Columns[c].Raw[a], t.Columns[c].Raw[b]); x != 0 {
				return x
			}
		}
		return 0
	}
	slices.SortFunc(records, func(a, b uint32) int { return cmp.Or(raw(a, b), cmp.Compare(a, b)) })
	best, most := uint32(0), 0
	for i := 0; i < len(records); {
		j := i + 1
		for j < len(records) && raw(records[i], records[j]) == 0 {
			j++
		}
		if j-i > most || j-i == most && rawBefore(t, columns, records[i], best) {
			best, most = records[i], j-i
		}
		i = j
	}
	return best
}

func rawBefore(t *record.Table, columns []int, a, b uint32) bool {
	for _, c := range columns {
		if x := compareText(t.Columns[c].RawValue(a), t.Columns[c].RawValue(b)); x != 0 {
			return x < 0
		}
	}
	return false
}
