// Package comparison turns a pair of records into one small integer per
// comparison: its level.
//
// A comparison looks at one field or at several fields that depend on each
// other (given and family name; street, number, flat, postal code and city)
// and says how far they agree. Its levels are numbered from 1; the first that
// holds is taken. Level 0 says that one side is null, which is no evidence
// either way. The levels of all comparisons of a pair are its comparison
// vector; a model (package match) turns a vector into a match weight.
//
// Everything that can be known about one value is prepared once per distinct
// value when a comparison is made from a [record.Table]: tokens, phonetic
// codes, frequencies, packed dates. A pair then costs integer look-ups in two
// rows of slots ([Rows]) and, where two different values meet, one string
// metric, remembered in a small direct-mapped cache of the worker ([Scratch]).
// Comparing allocates nothing.
//
// Frequencies are relative to the table: how many records carry a name is
// part of the level ("both names equal, carried by 2 records"), so that what
// equality is worth is learned apart for rare and for common values and for
// each kind of non-match, instead of being added as an independent term.
package comparison

import "sama/record"

// MaxComparisons is the greatest number of comparisons in a plan.
const MaxComparisons = 16

// Vector holds the level that a pair reached in every comparison of a plan, 0
// where a comparison has no evidence.
type Vector [MaxComparisons]uint8

// Traits say what a level means for telling kinds of pairs apart when training
// begins.
type Traits uint16

// The traits of a level.
const (
	GivenSame  Traits = 1 << iota
	GivenClose        // all of the given name is the same, a typing error apart
	GivenDiffers
	FamilySame
	FamilyDiffers
	BirthSame
	BirthDiffers
	ContactShared // e-mail, phone or address is the same
	ContactDiffers
	IdentifierSame
	OtherSame
	OtherDiffers
)

// Level describes one level of a comparison.
type Level struct {
	Label string
	// Agree and Contra are how strongly the level speaks for and against a
	// match before anything is known of the data; training starts from them.
	Agree, Contra float64
	// M is the documented probability of the level among matches, used where
	// training has nothing to learn from. The M of levels 1… sum to 1.
	M      float64
	Traits Traits
}

// Comparison compares one field or one group of fields.
type Comparison interface {
	// Name is unique in a plan.
	Name() string
	// Levels describes the levels; index 0 is the null level.
	Levels() []Level
	// Columns returns the columns that it looks at.
	Columns() []*record.Column
	// Compare writes the level of every pair into out[i][index].
	Compare(s *Scratch, rows Rows, pairs []record.Pair, out []Vector, index int)
}

// Rows holds what scoring sees of all records: Stride slots a record.
type Rows struct {
	Slots  []uint32
	Stride int
}

// Of returns the slots of one record.
func (r Rows) Of(i uint32) []uint32 {
	start := int(i) * r.Stride
	return r.Slots[start : start+r.Stride : start+r.Stride]
}

// Layout collects the slots that comparisons ask for while a plan is made.
type Layout struct {
	// Whole describes the table that the few records at hand were taken from;
	// nil where the table is whole.
	Whole *record.Population

	columns [][]uint32
	index   map[*uint32]int
}

// Slot returns the number of the slot that will hold codes, one 32-bit value a
// record. The same slice asked for twice gets one slot.
func (l *Layout) Slot(codes []uint32) int {
	if len(codes) == 0 {
		l.columns = append(l.columns, codes)
		return len(l.columns) - 1
	}
	if slot, ok := l.index[&codes[0]]; ok {
		return slot
	}
	if l.index == nil {
		l.index = make(map[*uint32]int)
	}
	l.index[&codes[0]] = len(l.columns)
	l.columns = append(l.columns, codes)
	return len(l.columns) - 1
}

// Rows builds the rows of n records. The stride is a whole number of cache
// lines.
func (l *Layout) Rows(n int) Rows {
	const line = len(record.Row{})
	stride := max(1, (len(l.columns)+line-1)/line) * line
	rows := Rows{Slots: make([]uint32, n*stride), Stride: stride}
	for slot, codes := range l.columns {
		for i, code := range codes {
			rows.Slots[i*stride+slot] = code
		}
	}
	return rows
}

// Scratch is one worker's working memory. It must not be shared.
type Scratch struct {
	memos map[memoKey]*memo
	bits  int // log2 of the entries of a cache
}

// memoKey names a cache: a comparison may have two.
type memoKey struct {
	of    Comparison
	which int
}

// NewScratch returns working memory for one worker.
func NewScratch() *Scratch { return &Scratch{memos: make(map[memoKey]*memo), bits: memoBits} }

// NewSmallScratch returns working memory for comparing a few hundred pairs.
func NewSmallScratch() *Scratch { return &Scratch{memos: make(map[memoKey]*memo), bits: smallMemoBits} }

// memo remembers levels of pairs of codes: direct-mapped, so that its size is
// fixed and an entry costs one cache line.
type memo struct {
	keys   []uint64
	levels []uint8
	shift  int
}

const (
	memoBits      = 14
	smallMemoBits = 7
)

// memo returns the first cache of comparison c, memo2 the second.
func (s *Scratch) memo(c Comparison) *memo  { return s.cache(memoKey{c, 0}) }
func (s *Scratch) memo2(c Comparison) *memo { return s.cache(memoKey{c, 1}) }

func (s *Scratch) cache(k memoKey) *memo {
	m := s.memos[k]
	if m == nil {
		m = &memo{keys: make([]uint64, 1<<s.bits), levels: make([]uint8, 1<<s.bits), shift: 64 - s.bits}
		s.memos[k] = m
	}
	return m
}

// find returns the remembered level of the pair of codes, and the entry where
// to put it if it is not known. Codes are never both 0. What is put must be the
// level of the smaller code against the larger: not every way to compare texts
// gives the same both ways round, and which of the two comes first depends on
// the pairs that a worker happens to see.
func (m *memo) find(a, b uint32) (entry int, key uint64, level uint8, ok bool) {
	if a > b {
		a, b = b, a
	}
	key = uint64(a)<<32 | uint64(b)
	entry = m.entry(key)
	return entry, key, m.levels[entry], m.keys[entry] == key
}

// entry returns where a key is put.
func (m *memo) entry(key uint64) int { return int((key * 0x9e3779b97f4a7c15) >> m.shift) }

func (m *memo) put(entry int, key uint64, level uint8) {
	m.keys[entry] = key
	m.levels[entry] = level
}

// band returns the number of cuts that x is above: 0 … len(cuts).
func band(x float64, cuts []float64) int {
	for i, cut := range cuts {
		if x <= cut {
			return i
		}
	}
	return len(cuts)
}
