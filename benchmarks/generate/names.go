package generate

import "math/bits"

// name gives the members of a composed household their names: surnames dealt
// (see the package comment), given names, and the changes marriage and divorce
// bring. The slices in hh are reused, so it must be called once per household.
func (p *population) name(hh *household) {
	p.deal(hh)
	family := &p.tab.surnames.entries[hh.surname]
	r := p.stream(hh.h, forMarriage, 0, 0)
	childName := surname{a: family}
	for i := range hh.n {
		hh.persons[i].lang = family.lang
	}
	hh.persons[0].born = surname{a: family}
	if hh.couple {
		man, woman := hh.pair()
		birthNames := p.tab.byLang[family.lang]
		man.born = surname{a: family}
		hh.mateSurname = birthNames.draw(&r)
		woman.born = surname{a: &birthNames.entries[hh.mateSurname]}
		p.marry(hh, &r)
		if (hh.married == 0 || hh.marriage == keepNames) && r.chance(0.15) || hh.married != 0 && hh.marriage == takeHers {
			childName = woman.born
		}
	}
	for i := range hh.n {
		ps := &hh.persons[i]
		nr := p.stream(hh.h, forNames, i, 0)
		ps.care = carelessness[nr.int(len(carelessness))]
		if !hh.adultSlot(i) {
			ps.born = childName
		}
		p.nameGiven(hh, ps, &nr)
	}
}

// Outcomes of marriageNames.
const (
	takeHis = iota
	takeHers
	takeDouble
	keepNames
)

// adultSlot says whether member i is the household's man or woman, rather than
// a child.
func (hh *household) adultSlot(i int) bool { return i == 0 || i == 1 && hh.couple }

// pair returns the man and the woman of a couple.
func (hh *household) pair() (man, woman *person) {
	if hh.persons[0].female {
		return &hh.persons[1], &hh.persons[0]
	}
	return &hh.persons[0], &hh.persons[1]
}

// deal gives the household its surname and its number among the holders.
func (p *population) deal(hh *household) {
	t, n := p.tab.surnames, p.households
	hh.position = permute(hh.h, n, p.key(keyDeal, 0))
	offset := p.key(keyDealOffset, 0) % t.total
	hh.surname = t.at((hh.position*t.total + offset) / n)
	first := firstPosition(t.start(hh.surname), n, offset, t.total)
	hh.holder = hh.position - first
	hh.holders = firstPosition(uint64(t.cum[hh.surname]), n, offset, t.total) - first
}

// firstPosition returns the smallest i with (i*total+offset)/n >= start: the
// first of n dealt positions that falls at or after a cumulative weight.
func firstPosition(start, n, offset, total uint64) uint64 {
	if start*n <= offset {
		return 0
	}
	return (start*n - offset + total - 1) / total
}

// marry draws marriage and divorce and what they do to the couple's surnames.
func (p *population) marry(hh *household, r *stream) {
	man, woman := hh.pair()
	from := max(man.birth, woman.birth) + years(20)
	if !r.chance(marries) || from >= windowEnd {
		return
	}
	hh.married = from + int32(r.int(int(min(windowEnd-from, marriageSpan))))
	hh.marriage = r.weighted(marriageNames)
	changed := woman
	switch hh.marriage {
	case takeHis:
		woman.changes = append(woman.changes, change{hh.married, man.born})
	case takeHers:
		man.changes = append(man.changes, change{hh.married, woman.born})
		changed = man
	case takeDouble:
		double := surname{woman.born.a, man.born.a}
		if r.chance(0.5) {
			double = surname{man.born.a, woman.born.a}
		}
		woman.changes = append(woman.changes, change{hh.married, double})
	}
	if hh.marriage != keepNames && hh.married >= windowStart {
		changed.flags |= flagMarried
	}
	if !r.chance(divorces) || hh.married >= windowEnd-1 {
		return
	}
	hh.divorced = hh.married + 1 + int32(r.int(int(windowEnd-hh.married)))
	hh.persons[1].left = hh.divorced
	if hh.marriage != keepNames && r.chance(reverts) {
		changed.changes = append(changed.changes, change{hh.divorced, changed.born})
		changed.flags |= flagReverted
	}
}

// surnameAt returns the surname borne on a day.
func (ps *person) surnameAt(day int32) surname {
	s := ps.born
	for _, c := range ps.changes {
		if c.day <= day {
			s = c.name
		}
	}
	return s
}

// nameGiven draws the given names. The first one of the adult man and woman is a
// function of the surname and the household's number among its holders, so that
// every household of the surname knows those of the others.
func (p *population) nameGiven(hh *household, ps *person, r *stream) {
	sex := one(ps.female)
	list := &p.tab.first[ps.lang][sex]
	index := -1
	switch {
	case hh.adultSlot(ps.member):
		holders := p.holderNames(hh, ps)
		index = list.at(holders.position(hh.holder))
	case r.chance(childAsParent):
		for j := range hh.n {
			if parent := &hh.persons[j]; hh.adultSlot(j) && parent.female == ps.female {
				index = int(parent.given[0].index)
				ps.flags |= flagNamedAsParent
			}
		}
	case ps.flags&flagTwin != 0:
		index = twinName(hh, ps, list, r)
	}
	if index < 0 {
		index = list.draw(r)
	}
	ps.given[0] = givenName{&list.entries[index], int32(index)}
	ps.nGiven = 1
	for range r.weighted(furtherNames) {
		further := list.nameTable
		if ps.lang == finnish {
			further = p.tab.further[sex]
		}
		e := &further.entries[further.draw(r)]
		if e.text != ps.given[0].entry.text {
			ps.given[ps.nGiven] = givenName{e, -1}
			ps.nGiven++
		}
	}
	if ps.nGiven > 1 && r.chance(callsSecond) {
		ps.call = 1
		ps.flags |= flagCallsSecond
	}
}

// A holderNames is how the adults of one sex among the holders of a surname are
// called: each at a random position of a table of given names.
type holderNames struct {
	list *nameList
	key  uint64
}

func (p *population) holderNames(hh *household, ps *person) holderNames {
	sex := one(ps.female)
	return holderNames{&p.tab.first[ps.lang][sex], p.key(keyGiven, uint64(hh.surname)<<1|uint64(sex))}
}

// position returns where holder number k is in the cumulative table.
func (n *holderNames) position(k uint64) uint64 {
	hi, _ := bits.Mul64(mix(n.key+golden*(k+1)), n.list.total)
	return hi
}

// none says whether none of the holders before k falls into [from, to). For a
// range of share s it looks at 1/s holders on average, or at all of them.
func (n *holderNames) none(k, from, to uint64) bool {
	for i := range k {
		if x := n.position(i); from <= x && x < to {
			return false
		}
	}
	return true
}

// firstOfName says whether an adult who bears the household's surname is the
// first of its holders with the given name.
func (p *population) firstOfName(hh *household, ps *person) bool {
	n, i := p.holderNames(hh, ps), int(ps.given[0].index)
	return n.list.entries[i].owner && n.none(hh.holder, n.list.start(i), uint64(n.list.cum[i]))
}

// firstOfInitial is the same for the initial, which belongs to one sex.
func (p *population) firstOfInitial(hh *household, ps *person) bool {
	n, i := p.holderNames(hh, ps), int(ps.given[0].index)
	sex := p.key(keyInitial, uint64(hh.surname)<<8|uint64(n.list.entries[i].fold[0])) & 1
	if sex != uint64(one(ps.female)) {
		return false
	}
	first := int(n.list.initial[i])
	last := first
	for last+1 < len(n.list.initial) && n.list.initial[last+1] == int32(first) {
		last++
	}
	return n.none(hh.holder, n.list.start(first), uint64(n.list.cum[last]))
}

// twinName returns a name like that of the twin born before (the same initial)
// in a share of pairs of one sex, else -1.
func twinName(hh *household, ps *person, list *nameList, r *stream) int {
	if ps.member == 0 {
		return -1
	}
	twin := &hh.persons[ps.member-1]
	if twin.birth != ps.birth || twin.female != ps.female || twin.given[0].index < 0 || !r.chance(twinAlike) {
		return -1
	}
	for range 40 {
		i := list.draw(r)
		if list.initial[i] == list.initial[twin.given[0].index] && int32(i) != twin.given[0].index {
			return i
		}
	}
	return -1
}
