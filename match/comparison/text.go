package comparison

import (
	"fmt"
	"math"

	"sama/match/strsim"
	"sama/record"
)

// textCuts are shares of the information in the tokens of two texts that both
// hold; textHolders are numbers of records that hold a text.
var (
	textCuts    = []float64{0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9}
	textHolders = []float64{2, 5, 15}
)

// textComparison compares free text by its tokens, each weighing as much as it
// is rare: Σ shared idf / Σ idf of either, with near-equal tokens as shared.
type textComparison struct {
	name   string
	column *record.Column
	words  *words
	idf    []float32 // token id → ln(values / values with it)
	slot   int
	levels []Level
}

// NewText returns the comparison of a column of free text or of names of
// organisations.
func NewText(l *Layout, column *record.Column) Comparison {
	c := &textComparison{name: column.Name, column: column, words: newWords(column, true), slot: l.Slot(withoutGeneric(column))}
	n := float64(l.whole(record.WordTexts(column), "", uint32(column.Normal.Len())))
	holders := c.words.holders()
	for id := range holders {
		holders[id] = l.whole(record.WordTexts(column), c.words.texts[id], holders[id])
	}
	c.idf = make([]float32, len(holders))
	for id, k := range holders {
		c.idf[id] = float32(math.Log((n + 1) / float64(k)))
	}
	c.levels = []Level{{Label: "missing"}}
	for i := range len(textHolders) + 1 {
		c.levels = append(c.levels, Level{Label: fmt.Sprintf("equal, frequency band %d of %d", i+1, len(textHolders)+1),
			Agree: 1, M: 0.14, Traits: OtherSame})
	}
	contra := 0.6
	if column.Field == record.Organization {
		contra = 1.3 // the name is to a firm what the given name is to a person
	}
	m := []float64{0.08, 0.03, 0.04, 0.05, 0.06, 0.06, 0.06, 0.06}
	for i := range len(textCuts) + 1 {
		lower := 0.0
		if i > 0 {
			lower = textCuts[i-1]
		}
		level := Level{Label: fmt.Sprintf("more than %.0f %% of the words in common", 100*lower), M: m[i], Agree: 0.9 * lower}
		if i < 2 {
			level.Contra, level.Traits = contra, OtherDiffers
		}
		c.levels = append(c.levels, level)
	}
	return c
}

func (c *textComparison) Name() string    { return c.name }
func (c *textComparison) Levels() []Level { return c.levels }

// Columns implements Comparison.
func (c *textComparison) Columns() []*record.Column { return []*record.Column{c.column} }

func (c *textComparison) Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int) {
	m := s.memo(c)
	for i, p := range pairs {
		x, y := rows.Of(p.A)[c.slot], rows.Of(p.B)[c.slot]
		switch {
		case x == 0 || y == 0:
			out[i][index] = 0
		case x == y:
			out[i][index] = 1 + uint8(band(float64(c.column.Count[x]), textHolders))
		default:
			entry, key, level, ok := m.find(x, y)
			if !ok {
				level = uint8(len(textHolders)+2) + uint8(band(c.overlap(min(x, y), max(x, y)), textCuts))
				m.put(entry, key, level)
			}
			out[i][index] = level
		}
	}
}

// maxFuzzyTokens bounds the tokens of one text that are compared fuzzily: a
// longer text has enough exact ones.
const maxFuzzyTokens = 12

// overlap returns the share of the information that two texts have in common,
// 0 … 1. Token lists are sorted.
func (c *textComparison) overlap(x, y uint32) float64 {
	a, b := c.words.of(x), c.words.of(y)
	if len(a) > len(b) {
		a, b = b, a
	}
	var shared, left, right float64
	j := 0
	var restA, restB [maxFuzzyTokens]uint32
	na, nb := 0, 0
	for _, id := range a {
		for j < len(b) && b[j] < id {
			right += float64(c.idf[b[j]])
			if nb < maxFuzzyTokens {
				restB[nb] = b[j]
				nb++
			}
			j++
		}
		if j < len(b) && b[j] == id {
			shared += float64(c.idf[id])
			j++
			continue
		}
		left += float64(c.idf[id])
		if na < maxFuzzyTokens {
			restA[na] = id
			na++
		}
	}
	for ; j < len(b); j++ {
		right += float64(c.idf[b[j]])
		if nb < maxFuzzyTokens {
			restB[nb] = b[j]
			nb++
		}
	}
	for _, ida := range restA[:na] {
		for k, idb := range restB[:nb] {
			if idb == math.MaxUint32 || !c.nearToken(ida, idb) {
				continue
			}
			wa, wb := float64(c.idf[ida]), float64(c.idf[idb])
			shared += min(wa, wb) * 0.9
			left -= wa
			right -= wb
			restB[k] = math.MaxUint32
			break
		}
	}
	return shared / max(1e-9, shared+(left+right)/2)
}

// nearToken says whether two different tokens mean the same: one edit in five
// letters or more, or one the beginning of the other (an initial, a cut word).
func (c *textComparison) nearToken(x, y uint32) bool {
	a, b := c.words.texts[x], c.words.texts[y]
	if len(a) > len(b) {
		a, b = b, a
	}
	if b[:len(a)] == a && (len(a) >= 3 || len(a) == 1) {
		return true
	}
	return len(a) >= 5 && strsim.OSAWithin(a, b, 1)
}
