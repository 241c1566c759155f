package match

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sama/match/comparison"
)

// Training starts from rules, never from a posterior: started from one, the
// mixture drifts towards whatever splits the pairs best, which need not be
// match against non-match.

// seeder gives the responsibilities that training starts from.
type seeder struct {
	levels [][]comparison.Level
	named  bool     // given names are compared
	kinds  []string // of non-match
	active []int    // kind by rule → kind in the model, that of the others if it was dropped
	begin  start
	own    []int // comparison → its own kind, −1 for none; without names
}

// Kinds of non-match among persons, in the order in which they are tried.
// Pairs of a kind share something though they do not mean the same person.
const (
	kindRelatives = iota
	kindCoincidence
	kindNamesakes
	kindFamily
	kindGiven
	kindOthers
)

var personKinds = []string{
	"relatives: the given name differs, something is shared",
	"coincidence: both names differ, something is shared",
	"namesakes: the same name, nothing else shared",
	"the same family name",
	"the same given name",
	"others",
}

const anyShared = comparison.ContactShared | comparison.BirthSame | comparison.IdentifierSame | comparison.OtherSame

// ownKinds is the greatest number of comparisons that have a kind of their
// own where records are not persons.
const ownKinds = 5

func newSeeder(comparisons []comparison.Comparison, begin start) *seeder {
	s := &seeder{begin: begin}
	for _, c := range comparisons {
		s.levels = append(s.levels, c.Levels())
		for _, l := range c.Levels() {
			s.named = s.named || l.Traits&comparison.GivenSame != 0
		}
	}
	if s.named {
		s.kinds = personKinds
	} else {
		s.ownKinds(comparisons)
	}
	for k := range s.kinds {
		s.active = append(s.active, k)
	}
	return s
}

// prune drops the kinds of non-match of which the vectors hold hardly any: a
// kind made of the doubtful ones among the matches would keep them.
func (s *seeder) prune(vectors []Counted) {
	other := make([]float64, len(s.kinds))
	match := make([]float64, len(s.kinds))
	for i := range vectors {
		v := &vectors[i]
		agree, contra, traits := s.evidence(&v.Vector)
		p := sigmoid(s.begin.slope*(agree-contra) - s.begin.offset)
		k := s.kind(&v.Vector, traits)
		match[k] += p * float64(v.Pairs)
		other[k] += (1 - p) * float64(v.Pairs)
	}
	last := len(s.kinds) - 1
	var kept []string
	for k, name := range s.kinds[:last] {
		if other[k] <= 2*match[k] || other[k] < minKind {
			s.active[k] = -1
			continue
		}
		s.active[k] = len(kept)
		kept = append(kept, name)
	}
	s.active[last] = len(kept)
	for k := range s.active {
		if s.active[k] < 0 {
			s.active[k] = len(kept)
		}
	}
	s.kinds = append(kept, s.kinds[last])
}

// minKind is the least number of pairs that a kind of non-match is made of.
const minKind = 5

// ownKinds gives the comparisons that say most a kind each: pairs that agree
// there more than elsewhere and yet are different.
func (s *seeder) ownKinds(comparisons []comparison.Comparison) {
	strength := func(c int) float64 {
		best := 0.0
		for _, l := range s.levels[c] {
			best = max(best, l.Agree)
		}
		return best
	}
	order := make([]int, len(comparisons))
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(strength(b), strength(a)) })
	s.own = make([]int, len(comparisons))
	for c := range s.own {
		s.own[c] = -1
	}
	for i, c := range order[:min(len(order), ownKinds)] {
		s.own[c] = i
		s.kinds = append(s.kinds, fmt.Sprintf("%s agrees, the rest does not", comparisons[c].Name()))
	}
	s.kinds = append(s.kinds, "others")
}

// kind returns the kind of non-match that a vector looks like.
func (s *seeder) kind(v *comparison.Vector, traits comparison.Traits) int {
	if s.named {
		return personKind(traits)
	}
	best, most := len(s.active)-1, 0.25
	for c, kind := range s.own {
		if agree := s.levels[c][v[c]].Agree; kind >= 0 && v[c] > 0 && agree > most {
			best, most = kind, agree
		}
	}
	return best
}

func personKind(t comparison.Traits) int {
	const both = comparison.GivenSame | comparison.FamilySame
	switch {
	case t&anyShared != 0 && t&both == 0:
		return kindCoincidence
	case t&anyShared != 0 && t&comparison.GivenDiffers != 0:
		return kindRelatives
	case t&both == both && t&anyShared == 0:
		return kindNamesakes
	case t&comparison.FamilySame != 0:
		return kindFamily
	case t&comparison.GivenSame != 0:
		return kindGiven
	}
	return kindOthers
}

// evidence sums what a vector says before training.
func (s *seeder) evidence(v *comparison.Vector) (agree, contra float64, traits comparison.Traits) {
	for c, levels := range s.levels {
		l := &levels[v[c]]
		if v[c] == 0 {
			continue
		}
		agree += l.Agree
		contra += l.Contra
		traits |= l.Traits
	}
	return agree, contra, traits
}

// start says how evidence becomes the starting probability of a match:
// sigmoid(slope·(agree − contra) − offset).
type start struct{ slope, offset float64 }

// starts are the starts that training tries, the later ones only where the
// model of those before is not clear.
var starts = []start{{6, 8}, {4, 6}}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// probability returns the share of a vector's pairs that training starts to
// regard as matches.
func (s *seeder) probability(v *comparison.Vector) float64 {
	agree, contra, _ := s.evidence(v)
	return sigmoid(s.begin.slope*(agree-contra) - s.begin.offset)
}

// responsibilities returns the starting responsibilities of a vector.
func (s *seeder) responsibilities(v *comparison.Vector) classRow {
	agree, contra, traits := s.evidence(v)
	var r classRow
	r[0] = sigmoid(s.begin.slope*(agree-contra) - s.begin.offset)
	r[1+s.active[s.kind(v, traits)]] = 1 - r[0]
	return r
}
