package match

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sama/match/comparison"
	"sama/record"
)

// Training starts from rules, never from a posterior: started from one, the
// mixture drifts towards whatever splits the pairs best, which need not be
// match against non-match.

// seeder gives the responsibilities that training starts from.
type seeder struct {
	levels [][]comparison.Level
	part   []part   // comparison → what it is about
	named  bool     // given names are compared
	kinds  []string // of non-match
	active []int    // kind by rule → kind in the model, that of the others if it was dropped
	begin  start
	own    []int // comparison → its own kind, −1 for none; without names
}

// Kinds of non-match among persons, in the order in which they are tried.
// Pairs of a kind share something though they do not mean the same person.
const (
	kindHousehold = iota
	kindRelatives
	kindCoincidence
	kindNamesakes
	kindFamily
	kindGiven
	kindOthers
)

var personKinds = []string{
	"household: the given name differs, several things are shared",
	"relatives: the given name differs, something is shared",
	"coincidence: both names differ, something is shared",
	"namesakes: the same name, nothing else shared",
	"the same family name",
	"the same given name",
	"others",
}

// part is what a comparison is about, as far as training's start cares.
type part uint8

const (
	partOther   part = iota
	partPerson       // names and date of birth
	partAddress      // a part of the address
)

func partOf(c comparison.Comparison) part {
	columns := c.Columns()
	if len(columns) == 0 {
		return partOther
	}
	switch columns[0].Field {
	case record.GivenName, record.FamilyName, record.BirthDate:
		return partPerson
	case record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region, record.Country:
		return partAddress
	}
	return partOther
}

// An address counts once, however many comparisons look at its parts.
const mostAddress = 1.0

const anyShared = comparison.ContactShared | comparison.BirthSame | comparison.IdentifierSame | comparison.OtherSame

// severalShared is the evidence beside names and date of birth from which on a
// pair has several things in common: two contact points, or one and the address.
const severalShared = 1.5

// ownKinds is the greatest number of comparisons that have a kind of their
// own where records are not persons.
const ownKinds = 5

func newSeeder(comparisons []comparison.Comparison, begin start) *seeder {
	s := &seeder{begin: begin}
	for _, c := range comparisons {
		s.part = append(s.part, partOf(c))
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
// kind made of the doubtful ones among the matches would keep them. Households
// are a kind only where they outnumber the matches and would otherwise be taken
// for them.
func (s *seeder) prune(vectors []Counted) {
	other := make([]float64, len(s.kinds))
	match := make([]float64, len(s.kinds))
	for i := range vectors {
		v := &vectors[i]
		e := s.evidence(&v.Vector)
		p := s.begin.probability(e.net)
		k := s.kind(&v.Vector, e)
		match[k] += p * float64(v.Pairs)
		other[k] += (1 - p) * float64(v.Pairs)
	}
	matches := 0.0
	for _, m := range match {
		matches += m
	}
	last := len(s.kinds) - 1
	var kept []string
	for k, name := range s.kinds[:last] {
		least := max(minKind, 2*match[k])
		if s.named && k == kindHousehold {
			least = max(least, matches)
		}
		if other[k] <= least {
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

// What the pairs of a kind of non-match have in common although the kind says
// that they differ there, as a share: by chance, or because a parent and a child
// share a given name.
const (
	mostGivenClose = 0.03  // of relatives
	mostNamesSame  = 0.1   // of those who share something by coincidence
	mostBirthSame  = 0.002 // of those who share nothing but names
)

// bounds says what the pairs of each class have by chance alone.
func (s *seeder) bounds() (of [classes]bound) {
	if !s.named {
		return of
	}
	for _, k := range []int{kindHousehold, kindRelatives} {
		of[1+s.active[k]] = bound{comparison.GivenClose, mostGivenClose}
	}
	of[1+s.active[kindCoincidence]] = bound{comparison.GivenSame | comparison.FamilySame, mostNamesSame}
	// The others come last: kinds that were dropped are among them.
	for _, k := range []int{kindNamesakes, kindFamily, kindGiven, kindOthers} {
		of[1+s.active[k]] = bound{comparison.BirthSame | comparison.IdentifierSame, mostBirthSame}
	}
	return of
}

// minKind is the least number of pairs that a kind of non-match is made of.
const minKind = 5

// ownKinds gives the comparisons that say most a kind each: pairs that agree
// there more than elsewhere and yet are different. Town, postal code and the
// like are one: who shares one shares the others.
func (s *seeder) ownKinds(comparisons []comparison.Comparison) {
	strength := func(c int) float64 {
		best := 0.0
		for _, l := range s.levels[c] {
			best = max(best, l.Agree)
		}
		return best
	}
	order := make([]int, len(comparisons))
	s.own = make([]int, len(comparisons))
	for c := range order {
		order[c], s.own[c] = c, -1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(strength(b), strength(a)) })
	for _, c := range order {
		if !isPlace(comparisons[c]) && len(s.kinds) < ownKinds {
			s.own[c] = len(s.kinds)
			s.kinds = append(s.kinds, fmt.Sprintf("%s agrees, the rest does not", comparisons[c].Name()))
		}
	}
	for _, c := range order {
		if isPlace(comparisons[c]) {
			s.own[c] = len(s.kinds)
		}
	}
	if slices.Contains(s.own, len(s.kinds)) {
		s.kinds = append(s.kinds, "the place agrees, the rest does not")
	}
	s.kinds = append(s.kinds, "others")
}

// isPlace reports whether a comparison looks at where somebody lives, wider
// than a street.
func isPlace(c comparison.Comparison) bool {
	columns := c.Columns()
	if len(columns) != 1 {
		return false
	}
	switch columns[0].Field {
	case record.PostalCode, record.City, record.Region, record.Country:
		return true
	}
	return false
}

// kind returns the kind of non-match that a vector looks like.
func (s *seeder) kind(v *comparison.Vector, e evidence) int {
	if s.named {
		return personKind(e)
	}
	best, most := len(s.active)-1, 0.25
	for c, kind := range s.own {
		if agree := s.levels[c][v[c]].Agree; kind >= 0 && v[c] > 0 && agree > most {
			best, most = kind, agree
		}
	}
	return best
}

func personKind(e evidence) int {
	t := e.traits
	const both = comparison.GivenSame | comparison.FamilySame
	switch {
	case t&comparison.GivenDiffers != 0 && t&comparison.BirthSame == 0 && e.beside >= severalShared:
		return kindHousehold
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

// evidence is what a vector says before training.
type evidence struct {
	net    float64 // what speaks for a match less what speaks against it
	beside float64 // what speaks for it beside names and date of birth
	traits comparison.Traits
}

func (s *seeder) evidence(v *comparison.Vector) (e evidence) {
	address := 0.0
	for c, levels := range s.levels {
		if v[c] == 0 {
			continue
		}
		l := &levels[v[c]]
		e.net -= l.Contra
		e.traits |= l.Traits
		switch s.part[c] {
		case partPerson:
			e.net += l.Agree
		case partAddress:
			address += l.Agree
		default:
			e.beside += l.Agree
		}
	}
	e.beside += min(address, mostAddress)
	e.net += e.beside
	return e
}

// start says how evidence becomes the starting probability of a match:
// 1/(1 + e^(offset − slope·net)).
type start struct{ slope, offset float64 }

// starts are the starts that training tries, the later ones only where the
// model of those before is not clear.
var starts = []start{{6, 8}, {4, 6}}

func (s start) probability(net float64) float64 {
	return 1 / (1 + math.Exp(s.offset-s.slope*net))
}

// probability returns the share of a vector's pairs that training starts to
// regard as matches.
func (s *seeder) probability(v *comparison.Vector) float64 {
	return s.begin.probability(s.evidence(v).net)
}

// responsibilities returns the starting responsibilities of a vector.
func (s *seeder) responsibilities(v *comparison.Vector) classRow {
	e := s.evidence(v)
	var r classRow
	r[0] = s.begin.probability(e.net)
	r[1+s.active[s.kind(v, e)]] = 1 - r[0]
	return r
}
