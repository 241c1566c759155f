package generate

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A Check compares one figure of the output with its reference: figures of a
// pilot population of 92,458 records, and of DVV's surnames. Values are read
// from the records as an engine would: e-mail in lower case, the last nine
// digits of a phone number, names in lower case, the last word of a full name
// as surname.
type Check struct {
	Name string  `json:"name"`
	Want float64 `json:"want"`
	Got  float64 `json:"got"`
	OK   bool    `json:"ok"` // within 10 % of Want, plus three standard errors of a figure of this size
	Must bool    `json:"must"`
}

// checkTolerance is the accepted relative difference.
const checkTolerance = 0.10

// checkedFrom is the number of records from which a failed check fails the run;
// smaller runs only report it.
const checkedFrom = 20_000

// A CheckError says which figures of the output are off.
type CheckError struct{ Failed []Check }

// Error lists the failed checks.
func (e *CheckError) Error() string {
	var parts []string
	for _, c := range e.Failed {
		parts = append(parts, fmt.Sprintf("%s is %.4g, expected %.4g", c.Name, c.Got, c.Want))
	}
	return "generate: the output is not like its reference: " + strings.Join(parts, "; ")
}

// A tally is what the checks count. Tallies of workers are added up.
type tally struct {
	records                             [sourceCount]int
	persons                             int
	pairs, email, phone, name, any      int // of one person
	housePairs, houseEmail, housePhone  int // of two persons of one household
	houseSurname                        int
	listed, top1, top100, top1000, leak int
}

func (t *tally) add(o *tally) {
	for s := range t.records {
		t.records[s] += o.records[s]
	}
	for _, x := range [...][2]*int{
		{&t.persons, &o.persons}, {&t.pairs, &o.pairs}, {&t.email, &o.email}, {&t.phone, &o.phone}, {&t.name, &o.name}, {&t.any, &o.any},
		{&t.housePairs, &o.housePairs}, {&t.houseEmail, &o.houseEmail}, {&t.housePhone, &o.housePhone}, {&t.houseSurname, &o.houseSurname},
		{&t.listed, &o.listed}, {&t.top1, &o.top1}, {&t.top100, &o.top100}, {&t.top1000, &o.top1000}, {&t.leak, &o.leak},
	} {
		*x[0] += *x[1]
	}
}

// A shown is what a record shows of a person, hashed; 0 = nothing.
type shown struct {
	member                                int
	email, phone, name, surname, initials uint64
}

// A measurer counts the records of a household.
type measurer struct {
	tally tally
	shown []shown
	text  []byte
	id    []byte
}

// Columns that the checks read: given name, surname, e-mail, phone.
var shownColumns = [sourceCount][4]int{crm: {0, 1, 4, 5}, service: {1, 0, 4, 2}, webshop: {-1, 0, 1, 2}}

// record notes one record.
func (m *measurer) record(k *maker, ps *person, source int) {
	m.tally.records[source]++
	at := shownColumns[source]
	s := shown{member: ps.member}
	m.text = appendLower(m.text[:0], k.cells[at[2]])
	s.email = textHash(m.text)
	m.text = m.text[:0]
	for _, c := range k.cells[at[3]] {
		if c >= '0' && c <= '9' {
			m.text = append(m.text, c)
		}
	}
	if len(m.text) >= 9 {
		s.phone = textHash(m.text[len(m.text)-9:])
	}
	if source == webshop {
		m.text = appendLower(m.text[:0], k.cells[0])
		last := bytes.LastIndexByte(m.text, ' ')
		s.setName(bytes.TrimRight(m.text[:max(last, 0)], " "), m.text[last+1:])
	} else {
		m.text = appendLower(m.text[:0], k.cells[at[0]])
		n := len(m.text)
		m.text = appendLower(m.text, k.cells[at[1]])
		s.setName(m.text[:n], m.text[n:])
	}
	m.shown = append(m.shown, s)
	m.leaks(k, ps)
}

func (s *shown) setName(first, last []byte) {
	if len(last) == 0 {
		return
	}
	s.surname = textHash(last)
	if len(first) > 0 {
		initial, _ := utf8.DecodeRune(first)
		s.name = mix(s.surname*3 + textHash(first))
		s.initials = mix(s.surname*5 + uint64(initial))
	}
}

// leaks counts cells that show an identifier of the truth.
func (m *measurer) leaks(k *maker, ps *person) {
	m.id = appendPersonID(m.id[:0], k.hh.h, ps.member)
	n := len(m.id)
	m.id = appendHouseholdID(m.id, k.hh.h)
	for _, c := range k.cells {
		if len(c) >= 8 && (bytes.IndexByte(c, m.id[0]) >= 0 || bytes.IndexByte(c, m.id[n]) >= 0) && (bytes.Contains(c, m.id[:n]) || bytes.Contains(c, m.id[n:])) {
			m.tally.leak++
		}
	}
}

// household counts the pairs of the household whose records were noted.
func (m *measurer) household(k *maker) {
	t := &m.tally
	seen := 0
	for i := range m.shown {
		a := &m.shown[i]
		seen |= 1 << a.member
		for j := range i {
			b := &m.shown[j]
			email, phone := one(a.email == b.email && a.email != 0), one(a.phone == b.phone && a.phone != 0)
			if a.member != b.member {
				t.housePairs++
				t.houseEmail += email
				t.housePhone += phone
				t.houseSurname += one(a.surname == b.surname && a.surname != 0)
				continue
			}
			t.pairs++
			t.email += email
			t.phone += phone
			t.name += one(a.name == b.name && a.name != 0)
			t.any += email | phone | one(a.initials == b.initials && a.initials != 0)
		}
	}
	for ; seen != 0; seen &= seen - 1 {
		t.persons++
	}
	m.shown = m.shown[:0]
	m.surname(k, k.hh.surname)
	if k.hh.couple && k.hh.persons[0].lang == finnish {
		m.surname(k, k.hh.mateSurname)
	}
}

// surname counts a surname at birth if it is one of DVV's.
func (m *measurer) surname(k *maker, i int) {
	if i < k.p.tab.listed {
		m.tally.listed++
		m.tally.top1 += one(i < 1)
		m.tally.top100 += one(i < 100)
		m.tally.top1000 += one(i < 1000)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// textHash is FNV-1a, 0 only for an empty text.
func textHash(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h | 1<<63
}

// checks compares the tally with the reference. Figures that depend on noise
// bind only at normal noise, those of pairs and persons always.
func (t *tally) checks(noise Profile) []Check {
	all := 0
	for _, n := range t.records {
		all += n
	}
	normal := noise == Normal
	checks := []Check{
		share("records per person", 1.822, all, t.persons, true),
		share("share of records in crm", 0.4222, t.records[crm], all, true),
		share("share of records in service", 0.2082, t.records[service], all, true),
		share("share of records in webshop", 0.3696, t.records[webshop], all, true),
		share("true pairs with equal email", 0.447, t.email, t.pairs, normal),
		share("true pairs with equal phone", 0.555, t.phone, t.pairs, normal),
		share("true pairs with equal full name", 0.647, t.name, t.pairs, normal),
		share("true pairs with equal email, phone or surname and initial", 0.971, t.any, t.pairs, normal),
		share("household pairs of two persons with equal email", 0.088, t.houseEmail, t.housePairs, normal),
		share("household pairs of two persons with equal phone", 0.040, t.housePhone, t.housePairs, normal),
		share("household pairs of two persons with equal surname", 0.489, t.houseSurname, t.housePairs, normal),
		share("listed surnames that are the most common one", 0.0044, t.top1, t.listed, true),
		share("listed surnames among the top 100", 0.198, t.top100, t.listed, true),
		share("listed surnames among the top 1000", 0.557, t.top1000, t.listed, true),
	}
	return append(checks, Check{Name: "cells that show an identifier of the truth", Got: float64(t.leak), OK: t.leak == 0, Must: true})
}

func share(name string, want float64, part, whole int, must bool) Check {
	c := Check{Name: name, Want: want, Must: must}
	if whole > 0 {
		c.Got = float64(part) / float64(whole)
		allowed := checkTolerance
		if want < 1 {
			// Pairs of one household are not independent: count two as one.
			allowed += 3 * math.Sqrt(2*(1-want)/(want*float64(whole)))
		}
		c.OK = math.Abs(c.Got-want) <= allowed*want
	}
	c.Got = math.Round(c.Got*1e5) / 1e5
	return c
}
