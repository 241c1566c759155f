package normalize

import (
	"math"
	"strings"
)

// Names knows how often words are given names and how often family names: from
// the name columns of the sources at hand, and behind them from the lists of
// the lexicon. It decides which word of a full name is the surname.
type Names struct {
	given, family map[string]float64 // counts from the sources
	givens        float64
	families      float64
}

// lexiconMass is how many names of a source outweigh the lexicon.
const lexiconMass = 5000

// NewNames returns a Names that knows the lexicon only.
func NewNames() *Names {
	return &Names{given: make(map[string]float64), family: make(map[string]float64)}
}

// AddGiven counts the words of a normal form of given names, seen n times.
func (m *Names) AddGiven(folded string, n int) {
	for w := range strings.FieldsSeq(folded) {
		m.given[w] += float64(n)
		m.givens += float64(n)
	}
}

// AddOthers counts words that will not be asked for.
func (m *Names) AddOthers(givens, families int) {
	m.givens += float64(max(0, givens))
	m.families += float64(max(0, families))
}

// AddFamily counts the words of a normal form of a family name, seen n times.
func (m *Names) AddFamily(folded string, n int) {
	for w := range strings.FieldsSeq(folded) {
		if !particles[w] {
			m.family[w] += float64(n)
			m.families += float64(n)
		}
	}
}

// Lean is the evidence in bits, within ±8, that a folded name is a family name
// (positive) or a given name (negative). Initials lean to given names.
func (m *Names) Lean(folded string) float64 {
	sum, n := 0.0, 0
	for w := range strings.FieldsSeq(folded) {
		sum += m.leanWord(w)
		n++
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func (m *Names) leanWord(w string) float64 {
	if len(w) == 1 {
		return -6
	}
	if particles[w] {
		return 4
	}
	lex := lexicon()[w]
	g := (m.given[w] + lexiconMass*lex.given) / (m.givens + lexiconMass)
	f := (m.family[w] + lexiconMass*lex.family) / (m.families + lexiconMass)
	const floor = 4e-6
	return max(-8, min(8, math.Log2((f+floor)/(g+floor))))
}

// DefaultFamilyFirst is the share of full names that are written surname first
// where nothing is known.
const DefaultFamilyFirst = 0.03

// FamilyFirst estimates the share of full names in a column that are written
// surname first without a comma, from those whose words leave no doubt.
func (m *Names) FamilyFirst(values []string) float64 {
	first, last := 0.0, 0.0
	for _, v := range values {
		words := nameWords(v)
		if len(words) < 2 || strings.Contains(v, ",") {
			continue
		}
		e := m.Lean(Fold(words[0])) - m.Lean(Fold(words[len(words)-1]))
		switch {
		case e > 6:
			first++
		case e < -6:
			last++
		}
	}
	return (first + 20*DefaultFamilyFirst) / (first + last + 20)
}

// Split parts a full name into given and family names, both in the spelling of
// the source: by a comma ("Virtanen, Matti"), else by what the words are and
// by the share familyFirst of the column. Titles and generation suffixes are
// left out; particles stay with the surname. One word alone is a given or a
// family name, whichever it is more often.
func (m *Names) Split(full string, familyFirst float64) (given, family string) {
	if len(full) > 512 || Null(full) {
		return "", ""
	}
	if before, after, ok := strings.Cut(full, ","); ok {
		if b, a := nameWords(before), nameWords(after); len(b) > 0 && len(a) > 0 && !hasTitle(after) {
			return strings.Join(a, " "), strings.Join(b, " ")
		}
		full = before
	}
	words := nameWords(full)
	switch len(words) {
	case 0:
		return "", ""
	case 1:
		if m.Lean(Fold(words[0])) < 0 {
			return words[0], ""
		}
		return "", words[0]
	}
	first, last := Fold(words[0]), Fold(words[len(words)-1])
	evidence := m.Lean(first) - m.Lean(last) + math.Log2(familyFirst/(1-familyFirst))
	if evidence > 0 {
		end := 1
		for end < len(words)-1 && particles[Fold(words[end-1])] && len(first) > 1 {
			end++
		}
		return strings.Join(words[end:], " "), strings.Join(words[:end], " ")
	}
	start := len(words) - 1
	for start > 1 && particles[Fold(words[start-1])] && len(Fold(words[start-1])) > 1 {
		start--
	}
	return strings.Join(words[:start], " "), strings.Join(words[start:], " ")
}

// nameWords splits at white space and drops words without letters, titles in
// front and generation suffixes behind.
func nameWords(s string) []string {
	words := strings.Fields(s)
	out := words[:0]
	for _, w := range words {
		if Fold(w) != "" {
			out = append(out, w)
		}
	}
	for len(out) > 1 && (hardTitles[Fold(out[0])] || softTitles[Fold(out[0])] && len(out) > 2) {
		out = out[1:]
	}
	for len(out) > 1 && (generations[Fold(out[len(out)-1])] || hardTitles[Fold(out[len(out)-1])]) {
		out = out[:len(out)-1]
	}
	return out
}

// hasTitle reports a title or generation among the words behind a comma, as in
// "rob eden, 3rd baron auckland".
func hasTitle(s string) bool {
	words := strings.Fields(Fold(s))
	for i, w := range words {
		if generations[w] || i == 0 && (hardTitles[w] || softTitles[w]) {
			return true
		}
	}
	return false
}

// NameWords returns the words of a full name in the spelling of the source,
// without titles in front, generation suffixes behind and what follows a comma.
func NameWords(full string) []string {
	if len(full) > 512 {
		return nil
	}
	before, _, _ := strings.Cut(full, ",")
	return nameWords(before)
}
