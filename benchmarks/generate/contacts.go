package generate

import (
	"math"
	"strconv"
)

// A contact is what a person can be reached at, and from which days.
type contact struct {
	emails   [3]int32 // days of the first address and its successors
	nEmails  int
	second   bool // owns a second address
	atWork   bool // the second one is at work
	phones   [3]int32
	nPhones  int
	workLine bool
	firm     bool // runs a business
	parent   int  // the member whose contact points a child uses
}

// Numbers of e-mail addresses of a person: 0 to 2 are successive, then:
const (
	throwaway   = 3
	secondary   = 4
	emailPlaces = 5
)

// contactOf draws the contact points of a member on first use.
func (p *population) contactOf(hh *household, ps *person) *contact {
	c := &ps.contact
	if ps.contactKnown {
		return c
	}
	ps.contactKnown = true
	r := p.stream(hh.h, forContact, ps.member, 0)
	begin := ps.birth + years(12+8*r.float())
	if begin < windowStart {
		begin = max(ps.birth, windowStart-years(15*r.float()), begin)
	}
	if begin > windowEnd {
		begin = ps.birth
	}
	c.nEmails = renewals(&r, &c.emails, begin, newEmailRate)
	c.nPhones = renewals(&r, &c.phones, begin, newPhoneRate)
	c.second = r.chance(secondEmail)
	c.atWork = c.second && r.chance(secondAtWork) && ps.age(windowEnd) >= 20
	c.workLine = r.chance(workPhone) && ps.age(windowEnd) >= 20
	c.firm = ps.age(windowEnd) >= 25 && r.chance(runsFirm)
	if hh.couple {
		c.parent = r.int(2)
	}
	return c
}

// renewals fills in the days of a first value and its successors in the window.
func renewals(r *stream, days *[3]int32, begin int32, rate float64) int {
	days[0] = begin
	n := 1
	day := float64(max(begin, windowStart))
	for n < len(days) {
		day -= math.Log(1-r.float()) / rate * year
		if day > windowEnd {
			break
		}
		days[n] = int32(day)
		n++
	}
	return n
}

// age returns the age in full years on a day.
func (ps *person) age(day int32) int { return int(float64(day-ps.birth) / year) }

// latest returns the number of the last day that is not after a day, or 0.
func latest(days []int32, day int32) int {
	at := 0
	for i, d := range days {
		if d <= day {
			at = i
		}
	}
	return at
}

// share draws whether the couple uses one address together.
func (p *population) share(hh *household) {
	if !hh.couple {
		return
	}
	r := p.stream(hh.h, forSharing, 0, 0)
	rate := coupleEmail
	if hh.persons[0].age(windowEnd) > 55 {
		rate = coupleEmailOld
	}
	hh.shared = r.chance(rate)
	hh.sharer = r.int(2)
}

// emailOwner returns the member whose address a person gives on a day.
func (p *population) emailOwner(hh *household, ps *person, day int32, r *stream) *person {
	u := r.float()
	if hh.shared && hh.adultSlot(ps.member) && ps.member != hh.sharer && (hh.divorced == 0 || day < hh.divorced) {
		if u < coupleEmailUsed {
			return &hh.persons[hh.sharer]
		}
		return ps
	}
	rate := familyEmail[3]
	switch age := ps.age(day); {
	case age < 13:
		rate = familyEmail[0]
	case age < 18:
		rate = familyEmail[1]
	case age < 25:
		rate = familyEmail[2]
	}
	return p.relative(hh, ps, u < rate)
}

// phoneOwner returns the member whose number a person gives on a day.
func (p *population) phoneOwner(hh *household, ps *person, day int32, r *stream) *person {
	rate := familyPhone[2]
	if ps.age(day) < 16 {
		rate = familyPhone[0]
	} else if hh.shared && hh.adultSlot(ps.member) {
		rate = familyPhone[1]
	}
	return p.relative(hh, ps, r.chance(rate))
}

// relative returns a parent for a child and the partner for one of a couple
// when other is set and there is one, else the person.
func (p *population) relative(hh *household, ps *person, other bool) *person {
	switch {
	case !other:
	case !hh.adultSlot(ps.member):
		return &hh.persons[p.contactOf(hh, ps).parent]
	case hh.couple:
		return &hh.persons[1-ps.member]
	}
	return ps
}

var mobilePrefixes = [6]string{"40", "41", "44", "45", "46", "50"}

// appendPhone writes the national number, without its leading 0, of a line of a
// member: 0 to 2 are mobiles in use one after another, 3 is at work.
func (p *population) appendPhone(b []byte, hh *household, member, line int) []byte {
	const numbers = 60_000_000
	i := (hh.h*maxMembers+uint64(member))*4 + uint64(line)
	n := permute(i%numbers, numbers, p.key(keyPhone, 0))
	b = append(b, mobilePrefixes[n/10_000_000]...)
	return appendPadded(b, n%10_000_000, 7)
}

// appendPlate writes the number plate of the n-th car of the household (line 0)
// or of a member (line member+1).
func (p *population) appendPlate(b []byte, hh *household, line, n int) []byte {
	const plates = 26 * 26 * 26 * 999
	i := (hh.h*(maxMembers+1)+uint64(line))*4 + uint64(n)
	x := permute(i%plates, plates, p.key(keyPlate, 0))
	letters := x / 999
	b = append(b, 'A'+byte(letters/676), 'A'+byte(letters/26%26), 'A'+byte(letters%26), '-')
	return strconv.AppendUint(b, x%999+1, 10)
}

// car returns the line and the number of the car a person drives on a day. Cars
// change every four to eight years.
func (p *population) car(hh *household, ps *person, day int32) (line, n int) {
	r := p.stream(hh.h, forCar, ps.member, 0)
	own := r.chance(ownCarOfSecond) && ps.member > 0
	if own || ps.left != 0 && day >= ps.left {
		line = ps.member + 1
	}
	r = p.stream(hh.h, forCar, maxMembers, line)
	kept := (4 + 4*r.float()) * year
	return line, int((float64(day-windowStart) + r.float()*kept) / kept)
}

// appendPadded writes n with leading zeros.
func appendPadded(b []byte, n uint64, width int) []byte {
	from := len(b)
	for range width {
		b = append(b, '0')
	}
	for i := from + width - 1; n > 0 && i >= from; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
	return b
}
