package golden

import (
	"cmp"
	"slices"
	"strings"
)

// losing appends the values of column i of the unit that are not shown where
// record r's is.
func (w *worker) losing(i int, r uint32) {
	c := w.m.t.Columns[w.u.columns[i]]
	shown := uint32(0)
	if r != NoRecord {
		shown = c.Code[r]
	}
	w.codes = w.codes[:0]
	for _, m := range w.members {
		if code := c.Code[m]; code != 0 && code != shown {
			w.codes = append(w.codes, uint64(code)<<32|uint64(m))
		}
	}
	if len(w.codes) == 0 {
		return
	}
	slices.Sort(w.codes)
	from := len(w.lost[i])
	for a := 0; a < len(w.codes); {
		b := a
		w.holders = w.holders[:0]
		for ; b < len(w.codes) && w.codes[b]>>32 == w.codes[a]>>32; b++ {
			w.holders = append(w.holders, uint32(w.codes[b]))
		}
		w.lost[i] = append(w.lost[i], Losing{commonest(w.m.t, w.u.columns[i:i+1], w.holders), uint32(b - a)})
		a = b
	}
	list := w.lost[i][from:]
	if len(list) == 1 {
		return
	}
	slices.SortFunc(list, func(a, b Losing) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), strings.Compare(c.Value(a.Record), c.Value(b.Record)))
	})
	if w.u.all && len(w.u.columns) == 1 {
		w.rank(list)
	}
}

// rank sorts the losing values of an aggregate column by its rules; values that
// could not win come last.
func (w *worker) rank(list []Losing) {
	code := w.m.t.Columns[w.u.columns[0]].Code
	w.candidates()
	w.measure = w.measure[:0]
	for s := range w.u.rules {
		w.weigh(&w.u.rules[s])
		w.measure = append(w.measure, slices.Clone(w.value))
	}
	at := func(r uint32) int {
		return slices.IndexFunc(w.alive, func(n int32) bool { return code[w.first[n]] == code[r] })
	}
	slices.SortStableFunc(list, func(a, b Losing) int {
		x, y := at(a.Record), at(b.Record)
		if x < 0 || y < 0 {
			return cmp.Compare(min(y, 0), min(x, 0))
		}
		for _, value := range w.measure {
			if v := cmp.Compare(value[w.alive[y]], value[w.alive[x]]); v != 0 {
				return v
			}
		}
		return w.compare(a.Record, b.Record)
	})
}
