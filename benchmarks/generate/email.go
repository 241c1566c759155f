package generate

import "strconv"

// Forms of the local part of an address, in the order of emailForms.
const (
	firstDotLast = iota
	firstLast
	initialDotLast
	lastDotFirst
	withYear
	firstDigits
	cutDigits
	nickname
)

var emailForms = []float64{36, 11, 8, 5, 15, 7, 8, 10}

// appendEmail writes address number place of a member. Addresses of different
// households always differ; the package comment says why.
func (p *population) appendEmail(b []byte, hh *household, ps *person, place, variant int) []byte {
	r := p.stream(hh.h, forEmail, ps.member, place|variant<<4)
	c := p.contactOf(hh, ps)
	day := int32(windowEnd)
	if place < len(c.emails) {
		day = c.emails[place]
	}
	first, last := ps.given[ps.call].entry, ps.surnameAt(day)
	family := &p.tab.surnames.entries[hh.surname]
	ofFamily := last.b == nil && last.a.fold == family.fold && last.a.lang == family.lang && family.owner
	bare := ofFamily && last.a.text == family.text && hh.adultSlot(ps.member) && ps.call == 0
	form := r.weighted(emailForms)
	number := p.holderNumber
	if !ofFamily {
		number = p.positionNumber
	}
	switch form {
	case firstDotLast, withYear:
		b = append(append(b, first.fold...), '.')
		b = last.appendFold(b)
		bare = bare && p.firstOfName(hh, ps)
		if bare && form == withYear {
			b = appendPadded(b, uint64(yearOf(ps.birth)%100), 2)
		}
	case lastDotFirst:
		b = append(last.appendFold(b), '.')
		b = append(b, first.fold...)
		if first.twin && family.twin {
			bare, number = false, p.positionNumber
		}
		bare = bare && p.firstOfName(hh, ps)
	case initialDotLast:
		b = last.appendFold(append(b, first.fold[0], '.'))
		bare = bare && p.firstOfInitial(hh, ps)
	case firstLast:
		b = append(b, first.fold...)
		b = last.appendFold(b)
		bare = bare && !p.tab.ambiguous(first.fold, last.a.fold) && p.firstOfName(hh, ps)
		number = p.positionNumber
	default:
		b = appendHandle(b, &r, form, first, last)
		bare, number = false, p.positionNumber
	}
	if !bare {
		b = strconv.AppendUint(b, number(hh, ps.member*emailPlaces+place), 10)
	}
	b = append(b, '@')
	if place == secondary && c.atWork {
		return p.appendWorkDomain(b, &r)
	}
	return append(b, domains[r.weighted(domainWeights)]...)
}

// appendHandle writes local parts that show a part of the name, or none.
func appendHandle(b []byte, r *stream, form int, first *nameEntry, last surname) []byte {
	switch form {
	case cutDigits:
		b = append(b, first.fold[:min(3, len(first.fold))]...)
		return append(b, last.a.fold[:min(4, len(last.a.fold))]...)
	case nickname:
		b = append(b, nicknames[r.int(len(nicknames))]...)
		switch u := r.float(); {
		case u < 0.3:
			b = append(b, '_')
		case u < 0.6:
			b = append(b, '.')
		}
		if !r.chance(0.35) {
			return b
		}
	}
	return append(b, first.fold...)
}

// holderNumber returns a number that differs between all addresses of all
// households of one surname.
func (p *population) holderNumber(hh *household, tag int) uint64 {
	key := p.key(keyEmail, uint64(hh.surname)<<8|uint64(tag))
	return 100 + 50*permute(hh.holder, hh.holders, key) + uint64(tag)
}

// positionNumber returns a number that differs between all addresses, and from
// all of holderNumber.
func (p *population) positionNumber(hh *household, tag int) uint64 {
	key := p.key(keyEmail, 1<<40|uint64(tag))
	return 125 + 50*permute(hh.position, p.households, key) + uint64(tag)
}

func (p *population) appendWorkDomain(b []byte, r *stream) []byte {
	e := &p.tab.surnames.entries[r.int(p.tab.listed)]
	b = append(b, e.fold...)
	switch u := r.float(); {
	case u < 0.5:
		return append(b, "oy.fi"...)
	case u < 0.8:
		return append(b, ".fi"...)
	}
	return append(b, "group.com"...)
}

func (s surname) appendFold(b []byte) []byte {
	b = append(b, s.a.fold...)
	if s.b != nil {
		b = append(append(b, '-'), s.b.fold...)
	}
	return b
}

func (s surname) appendText(b []byte) []byte {
	b = append(b, s.a.text...)
	if s.b != nil {
		b = append(append(b, '-'), s.b.text...)
	}
	return b
}

// ambiguous says whether first and last written as one word could also be
// another given name and surname.
func (t *tables) ambiguous(first, last string) bool {
	var word [96]byte
	w := append(append(word[:0], first...), last...)
	for i := 1; i < len(w); i++ {
		if i != len(first) && t.givenFolds[string(w[:i])] && t.surnameFolds[string(w[i:])] {
			return true
		}
	}
	return false
}
