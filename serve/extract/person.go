package extract

import (
	"slices"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"
)

// person is an identity as far as deciding on it needs: what it holds in the
// columns of the file and in those with contact points, and what was said of it.
type person struct {
	ref     uint32   // of the identity
	values  []uint32 // place in Extract.columns → value, 0 for none
	points  []point  // of the golden record, by route and column
	events  []consent.Event
	erased  bool
	pattern uint64 // which columns of the routes have a contact point, a bit each
}

// point is a contact point of the golden record.
type point struct {
	route  int
	column int // of the index
	kind   record.Field
	normal string
}

// touched is an identity of which a record came, changed or went since the run.
type touched struct {
	id      string
	profile *online.Profile
	first   uint32 // number of its first value, in the order of profile.Values
}

// scratch is what one worker needs for one person after the other.
type scratch struct {
	*table
	p        person
	dead     *store.Matcher // nil where the run knows all erasures
	hashers  []*store.Hasher
	said     []consent.Event   // of one record
	contacts []consent.Contact // of the same
	keys     [1]record.Key
	imports  bool     // the sources say something about the purpose
	added    []uint32 // chains of contact points that the person has already

	asked    []consent.Decision
	released consent.Set
	spare    consent.Set
	silent   map[uint64]*outcome // of persons of whom nothing was said, by pattern
	patterns bool                // a pattern tells all columns of the routes
	counts   *counts
	outcome  outcome
}

// load fills in a person of the run of whom nothing came since.
func (s *scratch) load(i uint32) {
	p, x := &s.p, s.Index
	p.ref, p.erased, p.pattern = i, false, 0
	s.added = s.added[:0]
	p.events, p.points = p.events[:0], p.points[:0]
	for k, c := range s.columns {
		p.values[k] = 0
		if r, _, ok := x.Chosen(c, i); ok {
			p.values[k] = x.RawCode(c, r)
		}
	}
	for k := range s.routes {
		for _, c := range s.routes[k].columns {
			p.pattern <<= 1
			r, _, ok := x.Chosen(c, i)
			if !ok {
				continue
			}
			if code := x.Code(c, r); code != 0 {
				p.pattern |= 1
				p.points = append(p.points, point{k, c, x.Columns()[c].Field, x.Normal(c, code)})
			}
		}
	}
	for _, r := range x.Members(i) {
		if s.dead != nil && s.dead.Erased(x.Key(r).String()) {
			p.erased = true
			return
		}
		s.loadRecord(r)
	}
}

// loadRecord adds what was said of a record of the run and of its contact
// points.
func (s *scratch) loadRecord(r uint32) {
	x := s.Index
	// The acts are looked up by the number of the record: to find the record by its
	// key, which Imported does, takes ten times as long.
	imported := s.imports && slices.ContainsFunc(x.Consents(r), func(a index.ConsentAct) bool { return s.concerns(&a.ConsentColumn) })
	if chain := s.ledger.ofRecord[r]; chain > 0 || imported {
		s.contacts = s.contacts[:0]
		for _, c := range s.contactColumns {
			if code := x.Code(c, r); code > 0 && !x.Generic(c, code) {
				s.contacts = append(s.contacts, contactOf(x.Columns()[c].Field, x.Normal(c, code)))
			}
		}
		s.addSaid(chain, x.Key(r), imported)
	}
	for _, c := range s.contactColumns {
		all := s.ledger.ofCode[c]
		if all == nil {
			continue
		}
		code := x.Code(c, r)
		chain := all[code]
		if chain == 0 {
			continue
		}
		f, normal := x.Columns()[c].Field, x.Normal(c, code)
		s.addContact(chain, f, normal)
		for _, further := range s.ledger.more[place{c, code}] {
			s.addContact(further, f, normal)
		}
	}
}

// addSaid adds what stands at a record whose contact points are in s.contacts: in
// the state, and what its source said, if it is asked, for the company that has the
// purpose.
func (s *scratch) addSaid(chain uint32, key record.Key, imported bool) {
	s.said = s.ledger.appendEvents(s.said[:0], chain, consent.OfRecord(key.Source, key.ID), s.purpose.ID)
	if imported {
		s.keys[0] = key
		for _, e := range s.Imported(s.keys[:]) {
			if e.Purpose != s.purpose.ID && e.Purpose != "" {
				continue
			}
			if e.Controller == "" {
				e.Controller = s.purpose.Controller
			}
			s.said = append(s.said, e)
		}
	}
	for i := range s.said {
		s.p.events = consent.Spread(s.p.events, s.said[i], s.contacts)
	}
}

// concerns reports whether a column of the exports is about the purpose.
func (x *Extract) concerns(c *index.ConsentColumn) bool {
	return c.Purpose == x.purpose.ID || c.Purpose == ""
}

// addContact adds what was said of a contact point, once.
func (s *scratch) addContact(chain uint32, f record.Field, normal string) {
	if slices.Contains(s.added, chain) {
		return
	}
	s.added = append(s.added, chain)
	s.p.events = s.ledger.appendEvents(s.p.events, chain, consent.OfContact(contactOf(f, normal)), s.purpose.ID)
}

// contactOf names a contact point. Package consent only asks whether two are the
// same, so that the normal form does, and nothing is hashed.
func contactOf(f record.Field, normal string) consent.Contact {
	return consent.Contact{Kind: f.String(), Digest: normal}
}

// loadTouched fills in a person of whom something came since the run.
func (s *scratch) loadTouched(n uint32) {
	p, t := &s.p, &s.touched[n]
	p.ref, p.erased, p.pattern = s.identities()+n, false, 0
	s.added = s.added[:0]
	p.events, p.points = p.events[:0], p.points[:0]
	for k, c := range s.columns {
		p.values[k] = 0
		if v := slices.IndexFunc(t.profile.Values, func(v online.Value) bool { return v.Column == c }); v >= 0 {
			p.values[k] = s.firstOnline() + t.first + uint32(v)
		}
	}
	for k := range s.routes {
		for _, c := range s.routes[k].columns {
			p.pattern <<= 1
			v := slices.IndexFunc(t.profile.Values, func(v online.Value) bool { return v.Column == c })
			if v < 0 {
				continue
			}
			if normal, _ := s.normal(t.profile.Values[v].Record, c); normal != "" {
				p.pattern |= 1
				p.points = append(p.points, point{k, c, s.Index.Columns()[c].Field, normal})
			}
		}
	}
	for _, key := range t.profile.Records {
		if s.dead != nil && s.dead.Erased(key.String()) {
			p.erased = true
			return
		}
		s.loadKey(key)
	}
}

// loadKey adds what was said of a record, of the run or not, and of its contact
// points.
func (s *scratch) loadKey(key record.Key) {
	if s.came[key] == nil {
		if r, ok := s.Index.FindRecord(key); ok {
			s.loadRecord(r)
		}
		return
	}
	s.contacts = s.contacts[:0]
	for _, c := range s.contactColumns {
		normal, generic := s.normal(key, c)
		if normal == "" || generic {
			continue
		}
		f := s.Index.Columns()[c].Field
		s.contacts = append(s.contacts, contactOf(f, normal))
		for _, chain := range s.ledger.ofContact(s.hashers, f, normal) {
			s.addContact(chain, f, normal)
		}
	}
	if chain := s.ledger.ofKey[key]; chain > 0 || s.imports {
		s.addSaid(chain, key, s.imports)
	}
}

// normal returns the normal form that a record has in a column, and whether it
// names nobody in particular.
func (s *scratch) normal(key record.Key, c int) (normal string, generic bool) {
	x := s.Index
	if a, ok := s.came[key]; ok {
		if a.Values == nil {
			return "", false
		}
		code, known := x.FindNormal(c, a.Values.Normal[c])
		return a.Values.Normal[c], known && x.Generic(c, code)
	}
	r, ok := x.FindRecord(key)
	if !ok {
		return "", false
	}
	code := x.Code(c, r)
	return x.Normal(c, code), x.Generic(c, code)
}
