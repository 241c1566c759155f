package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"sama/record"
	"sama/run/index"
)

// person is somebody whom the base run knows, by one of the sampled records.
type person struct {
	id     string // identity id
	record *row
	golden map[string]string // of goldenColumns, those that have a value
	own    bool              // its e-mail address, or that it has none, is the record's, and no hub's
	agrees bool              // consents to the newsletter, by record
}

// goldenColumns are the columns of golden.parquet that answers are held against.
var goldenColumns = []string{"given_name", "family_name", "birth_date", "email", "phone", "city"}

// allowedColumns are those that the shop may see for the newsletter.
var allowedColumns = []string{"given_name", "family_name", "email", "city"}

// persons returns the identities of sampled records, each once, with what
// golden.parquet says of them.
func (b *bench) persons(most int) ([]person, error) {
	texts := make(map[string]func(uint32) []byte)
	for _, name := range goldenColumns {
		t, err := b.base.run.GoldenTexts(name)
		if err != nil {
			return nil, err
		}
		texts[name] = t.At
	}
	x, err := b.base.run.Index()
	if err != nil {
		return nil, err
	}
	defer x.Close() // it is only read
	var list []person
	seen := make(map[uint32]bool)
	m := b.base.members
	for i := range b.silos.known {
		r := &b.silos.known[i]
		at, ok := m.Find(r.key)
		if !ok {
			continue // the run rejected it
		}
		of := m.Identity[at]
		if seen[of] {
			continue
		}
		if seen[of] = true; len(list) == most {
			break
		}
		p := person{id: m.Identities.At(of), record: r, golden: make(map[string]string)}
		for name, text := range texts {
			if v := text(of); len(v) > 0 {
				p.golden[name] = string(v)
			}
		}
		// What is said of a record is about its own contact points: a grant by
		// another address than the one that survived allows nothing, nor does one by
		// an address that is nobody's in particular.
		p.own = strings.EqualFold(r.field("email"), p.golden["email"]) && !generic(x, r.key)
		p.agrees = p.own && len(list)%10 != 9
		list = append(list, p)
	}
	if len(list) < 10 {
		return nil, fmt.Errorf("only %d of the sampled records are in the run", len(list))
	}
	return list, nil
}

// generic reports whether an e-mail address of a record is nobody's in
// particular.
func generic(x *index.Index, k record.Key) bool {
	r, ok := x.FindRecord(k)
	for c, info := range x.Columns() {
		if ok && info.Field == record.Email && x.Generic(c, x.Code(c, r)) {
			return true
		}
	}
	return false
}

// consents lets those who agree say so.
func (p *place) consents(s *server, list []person) error {
	l := &line{address: s.address}
	defer l.close()
	var events []map[string]any
	send := func() error {
		if len(events) == 0 {
			return nil
		}
		err := p.ask(l, call{method: "POST", path: "/v1/consents", as: owner, body: map[string]any{"events": events}}, nil)
		events = events[:0]
		return err
	}
	for i := range list {
		if !list[i].agrees {
			continue
		}
		if events = append(events, said(list[i].record.key, "grant")); len(events) == 100 {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// said is a consent event of a record's person about the newsletter.
func said(k record.Key, act string) map[string]any {
	return map[string]any{"anchor": map[string]any{"record": keyed(k)}, "purpose": newsletter, "channel": "email", "act": act, "authenticated": "account"}
}

// keyed is a record key as the contract has it.
func keyed(k record.Key) map[string]any {
	return map[string]any{"source": k.Source, "record_id": k.ID}
}

// partial is what somebody types who looks for a person: both names, one letter
// of the family name wrong, and the birth date. It is nil if that is not known.
func (p *person) partial(random *rand.Rand) map[string]string {
	family, born := p.golden["family_name"], p.golden["birth_date"]
	if p.golden["given_name"] == "" || utf8.RuneCountInString(family) < 3 || born == "" {
		return nil
	}
	letters := []rune(family)
	letters[1+random.IntN(len(letters)-1)] = 'a' + rune(random.IntN(26))
	return map[string]string{"given_name": p.golden["given_name"], "family_name": string(letters), "birth_date": born}
}

// profile is an answer, as far as it is looked at.
type profile struct {
	IdentityID string            `json:"identity_id"`
	AliasOf    string            `json:"alias_of"`
	Golden     map[string]string `json:"golden"`
	RunID      string            `json:"run_id"`
}

// profiles are the answer of a lookup.
type profiles struct{ Profiles []profile }

// ids names the identities of a lookup.
func (p *profiles) ids() string {
	var list []string
	for _, one := range p.Profiles {
		list = append(list, one.IdentityID)
	}
	return strings.Join(list, " ")
}

// wrongGolden says what of a profile that the shop got for the newsletter is not
// as golden.parquet and the person's consent have it, "" if nothing is.
func (p *person) wrongGolden(got *profile) string {
	if got.IdentityID != p.id {
		return fmt.Sprintf("the identity is %s, want %s", got.IdentityID, p.id)
	}
	want := make(map[string]string)
	for _, name := range allowedColumns {
		if v, ok := p.golden[name]; ok && p.agrees {
			want[name] = v
		}
	}
	for name, v := range got.Golden {
		base, _, _ := strings.Cut(name, "_2") // email stands for email_2 as well
		if w, ok := want[name]; !ok && !(p.agrees && base != name) || ok && w != v {
			return fmt.Sprintf("identity %s: %s is %q, want %q", p.id, name, v, w)
		}
	}
	for name, v := range want {
		if got.Golden[name] == "" {
			return fmt.Sprintf("identity %s: %s is missing, want %q", p.id, name, v)
		}
	}
	return ""
}
