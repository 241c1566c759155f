package generate

// A population is all households of one run and where their records stand in
// the silos. It is immutable and safe for concurrent use.
type population struct {
	opt        Options
	tab        *tables
	households uint64
	total      [sourceCount]uint64   // records per source
	before     [][sourceCount]uint64 // block of households → records of earlier blocks
	patternCum []float64
}

// blockSize is the number of households counted and made as one unit of work.
const blockSize = 4096

func (p *population) stream(h uint64, what purpose, a, b int) stream {
	return newStream(p.opt.Seed, h, what, a, b)
}

// key returns the key of a permutation.
func (p *population) key(what, x uint64) uint64 {
	return mix(p.opt.Seed+golden*(uint64(forPermutation)<<32|what)) ^ mix(x)
}

// Purposes of permutations.
const (
	keyDeal uint64 = iota + 1
	keyDealOffset
	keyGiven
	keyPhone
	keyPlate
	keyEmail
	keyInitial
	keyRecord // + source
)

const maxMembers = 5

// A household is one household's truth, filled in the order the figures are
// needed: members and counts, then names and events, then contact points on
// demand. A worker reuses one value for all its households.
type household struct {
	h       uint64
	place   int
	couple  bool
	n       int
	persons [maxMembers]person
	counts  [sourceCount]int

	surname  int    // entry of the surname table
	position uint64 // π(h)
	holder   uint64 // number of the household among those of its surname
	holders  uint64

	mateSurname int   // the woman's at birth, entry of the surnames of her language
	married     int32 // day, 0 = never
	marriage    int   // index of marriageNames
	divorced    int32 // day, 0 = never
	moves       []home
	shared      bool // the couple shares one address
	sharer      int  // which of the two owns it
}

// A person is one member. Days are days since 1970-01-01.
type person struct {
	member  int
	birth   int32
	female  bool
	counts  [sourceCount]int
	lang    uint8
	given   [3]givenName
	nGiven  int
	call    int      // which given name is in daily use
	born    surname  // at birth
	changes []change // later surnames, by day
	left    int32    // day the person left the household's address, 0 = never
	moves   []home   // homes of one's own after that
	care    float64
	flags   personFlag

	contactKnown bool
	contact      contact
}

// A givenName is an entry of a table of given names.
type givenName struct {
	entry *nameEntry
	index int32 // in the first names of its language, -1 when from another table
}

// A surname is one or two entries of a surname table.
type surname struct{ a, b *nameEntry }

// A change is a surname borne from a day on.
type change struct {
	day  int32
	name surname
}

// compose draws the members of household h: place, ages, sexes.
func (p *population) compose(hh *household, h uint64) {
	r := p.stream(h, forHousehold, 0, 0)
	for i := range hh.persons {
		ps := &hh.persons[i]
		*ps = person{member: i, changes: ps.changes[:0], moves: ps.moves[:0]}
	}
	*hh = household{h: h, persons: hh.persons, moves: hh.moves[:0]}
	hh.n = 1 + r.weighted(sizeWeights)
	switch {
	case hh.n == 2:
		hh.couple = r.chance(coupleOfTwo)
	case hh.n > 2:
		hh.couple = r.chance(coupleOfMore)
	}
	children := hh.n - 1
	if hh.couple {
		children--
	}
	low, high := 18, 100
	if hh.couple {
		low = 20
	}
	if children > 0 {
		low, high = 22, 59
	}
	head := &hh.persons[0]
	c := p.drawCell(&r, low, high)
	for children == 0 && c.age > 26 && c.age < familyAge && r.chance(youngAlone) { // many of that age have children
		c = p.drawCell(&r, low, high)
	}
	hh.place = int(c.place)
	head.female = c.female
	head.birth = windowEnd - years(float64(c.age)) - int32(r.int(365))
	if hh.couple {
		older := 2.0
		if head.female {
			older = -2
		}
		mate := &hh.persons[1]
		mate.female = !head.female
		mate.birth = head.birth + years(older+4*r.bell())
		if mate.birth > windowEnd-years(18.5) {
			mate.birth = head.birth - int32(r.int(700))
		}
	}
	p.addChildren(hh, &r, hh.n-children)
}

// drawCell draws place, age and sex, again until the age fits.
func (p *population) drawCell(r *stream, low, high int) cell {
	for {
		c := p.tab.cells.ofCell[p.tab.cells.draw(r)]
		if int(c.age) >= low && int(c.age) <= high {
			return c
		}
	}
}

// addChildren draws the birth days of members from first on: at the mother's 20
// to 38, then one to five years apart, twins on one day.
func (p *population) addChildren(hh *household, r *stream, first int) {
	mother := &hh.persons[0]
	if hh.couple && !mother.female {
		mother = &hh.persons[1]
	}
	next := mother.birth + years(20+18*r.float())
	earliest, latest := windowEnd-years(childAge), mother.birth+years(46)
	for i := first; i < hh.n; i++ {
		ps := &hh.persons[i]
		ps.female = r.chance(0.488)
		if i > first && r.chance(twinRate) {
			ps.birth = hh.persons[i-1].birth
			ps.flags |= flagTwin
			hh.persons[i-1].flags |= flagTwin
			continue
		}
		if next < earliest || next > windowEnd-30 {
			low := max(earliest, mother.birth+years(18))
			high := max(low+1, min(windowEnd-30, latest))
			next = low + int32(r.int(int(high-low)))
		}
		ps.birth = next
		next += years(1.2 + 4*r.float())
	}
}

// count draws how many records each member has in each silo.
func (p *population) count(hh *household) (total [sourceCount]int) {
	for i := range hh.n {
		ps := &hh.persons[i]
		r := p.stream(hh.h, forPresence, i, 0)
		for _, s := range p.pattern(&r, ps.birth) {
			n := 1
			if r.chance(repeatRate[s]) {
				for n++; n <= maxExtra && r.chance(repeatTail); n++ {
				}
			}
			ps.counts[s] = n
			total[s] += n
		}
	}
	hh.counts = total
	return total
}

// pattern draws the silos of a person. Minors are in any with a smaller chance,
// and then in the same ones as adults.
func (p *population) pattern(r *stream, birth int32) []int {
	age := float64(windowEnd-birth) / year
	x := r.float()
	if age < 18 {
		any := anyTeen
		if age < 14 {
			any = anyChild
		}
		if x >= any {
			return nil
		}
		x = patternWeights[0] + x/any*(1-patternWeights[0])
	}
	for i, cum := range p.patternCum {
		if x < cum {
			return patternSources[i]
		}
	}
	return patternSources[len(patternSources)-1]
}
