package comparison

import (
	"math"
	"slices"
	"strings"

	"sama/record"
)

// words holds the tokens of every distinct value of a column.
type words struct {
	column *record.Column
	start  []uint32 // normal code → first token; start[code+1] is the end
	tokens []uint32 // token ids, ascending within a value when sorted
	texts  []string // token id → text
	counts []uint32 // token id → records that hold it
}

func newWords(c *record.Column, sorted bool) *words {
	w := &words{column: c, start: make([]uint32, 1, c.Normal.Len()+1)}
	ids := make(map[string]uint32)
	for code := range c.Normal.Len() {
		first := len(w.tokens)
		for token := range strings.FieldsSeq(c.Normal.At(uint32(code))) {
			id, ok := ids[token]
			if !ok {
				id = uint32(len(w.texts))
				ids[token] = id
				w.texts = append(w.texts, token)
				w.counts = append(w.counts, 0)
			}
			if slices.Contains(w.tokens[first:], id) {
				continue
			}
			w.counts[id] += c.Count[code]
			w.tokens = append(w.tokens, id)
		}
		if sorted {
			slices.Sort(w.tokens[first:])
		}
		w.start = append(w.start, uint32(len(w.tokens)))
	}
	return w
}

// holders returns how many values hold each word.
func (w *words) holders() []uint32 {
	holders := make([]uint32, len(w.texts))
	for _, id := range w.tokens {
		holders[id]++
	}
	return holders
}

// WordTexts returns how many distinct values of a column hold each word that
// more than one holds, and under the empty word the number of values: what free
// text is weighed by, and blocked by.
func WordTexts(column *record.Column) record.Counts {
	w := newWords(column, false)
	var c record.Counter
	c.Add("", uint32(column.Normal.Len()))
	for id, n := range w.holders() {
		if n > 1 {
			c.Add(w.texts[id], n)
		}
	}
	return c.Counts(record.WordTexts(column))
}

// of returns the token ids of one value.
func (w *words) of(code uint32) []uint32 { return w.tokens[w.start[code]:w.start[code+1]] }

// first returns the first token of one value, "" if it has none.
func (w *words) first(code uint32) string {
	if t := w.of(code); len(t) > 0 {
		return w.texts[t[0]]
	}
	return ""
}

// counted returns how many records of the whole table hold each word.
func (w *words) counted() record.Counts {
	var c record.Counter
	for id, n := range w.counts {
		if n > 1 {
			c.Add(w.texts[id], n)
		}
	}
	return c.Counts(wordRecords(w.column))
}

// logCounts returns, per normal code, the natural logarithm of the number of
// records that hold the value's first token, or the whole value if whole is
// set.
func (w *words) logCounts(l *Layout, whole bool) []float32 {
	logs := make([]float32, len(w.start)-1)
	for code := range logs {
		count := w.column.Count[code]
		if t := w.of(uint32(code)); !whole && len(t) > 0 {
			count = l.whole(wordRecords(w.column), w.texts[t[0]], w.counts[t[0]])
		}
		logs[code] = float32(math.Log(float64(max(1, count))))
	}
	return logs
}
