package record

import (
	"cmp"
	"slices"
)

// Population is what is known of a whole table where only a few of its records
// are at hand: how often values occur. What is worked out from a few records
// of the table (how rare a name is, how many people use an address) is then the
// same as if it were worked out from all of them.
//
// A population holds counts by what is counted, such as "names", and text. Texts
// are known by their hash alone. A Population is immutable.
type Population struct {
	Records uint32
	counts  map[string]Counts
}

// Counts are numbers by text.
type Counts struct {
	What   string
	Hashes []uint64 // of the texts, see [HashText]; ascending, no two equal
	Number []uint32
}

// NewPopulation returns the population of a table of so many records. The
// slices of counts are used as they are.
func NewPopulation(records uint32, counts []Counts) *Population {
	p := &Population{Records: records, counts: make(map[string]Counts, len(counts))}
	for _, c := range counts {
		p.counts[c.What] = c
	}
	return p
}

// Count returns the number of a text, 0 if the population lists none.
func (p *Population) Count(what, text string) uint32 {
	c := p.counts[what]
	h := HashText(text)
	at, ok := slices.BinarySearch(c.Hashes, h)
	if !ok {
		return 0
	}
	return c.Number[at]
}

// All returns the counts in order of what is counted.
func (p *Population) All() []Counts {
	all := make([]Counts, 0, len(p.counts))
	for _, c := range p.counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Counts) int { return cmp.Compare(a.What, b.What) })
	return all
}

// WordTexts is what a population counts the distinct values of a column under by
// the words that they hold; under the empty word, all of them.
func WordTexts(c *Column) string { return "texts by word of " + c.Name }

// Counter collects counts. The zero value is ready.
type Counter struct {
	list []counted
}

type counted struct {
	hash   uint64
	number uint32
}

// Add says that a text has a number. Of two for one text the greater holds.
func (c *Counter) Add(text string, number uint32) {
	c.list = append(c.list, counted{HashText(text), number})
}

// Counts returns what was added.
func (c *Counter) Counts(what string) Counts {
	slices.SortFunc(c.list, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(b.number, a.number))
	})
	list := slices.CompactFunc(c.list, func(a, b counted) bool { return a.hash == b.hash })
	out := Counts{What: what, Hashes: make([]uint64, len(list)), Number: make([]uint32, len(list))}
	for i, x := range list {
		out.Hashes[i], out.Number[i] = x.hash, x.number
	}
	return out
}

// HashText returns a hash of a text that is the same in every process: FNV-1a
// of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/), stirred by the
// finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
func HashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return Stir(h)
}

// Stir is the finaliser of SplitMix64: it spreads what differs in x over all
// bits.
func Stir(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
