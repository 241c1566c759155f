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

// of returns the token ids of one value.
func (w *words) of(code uint32) []uint32 { return w.tokens[w.start[code]:w.start[code+1]] }

// first returns the first token of one value, "" if it has none.
func (w *words) first(code uint32) string {
	if t := w.of(code); len(t) > 0 {
		return w.texts[t[0]]
	}
	return ""
}

// logCounts returns, per normal code, the natural logarithm of the number of
// records that hold the value's first token, or the whole value if whole is
// set.
func (w *words) logCounts(whole bool) []float32 {
	logs := make([]float32, len(w.start)-1)
	for code := range logs {
		count := w.column.Count[code]
		if t := w.of(uint32(code)); !whole && len(t) > 0 {
			count = w.counts[t[0]]
		}
		logs[code] = float32(math.Log(float64(max(1, count))))
	}
	return logs
}
