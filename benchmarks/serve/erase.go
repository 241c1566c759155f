package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sama/record"
	"sama/run/index"
)

// erasures erases persons while profiles are read, and looks after each at every
// path that could still show it. Then a night runs on exports that still have the
// persons, and every file is searched for what named them.
func (b *bench) erasures(ctx context.Context) error {
	p, err := b.newPlace(ctx, "erase", b.server)
	if err != nil {
		return err
	}
	x, err := b.base.run.Index()
	if err != nil {
		return err
	}
	defer x.Close() // it is only read
	list, err := b.persons(maxKnown)
	if err != nil {
		return err
	}
	var gone []*erased
	var others [][]byte
	for i := range list {
		if len(gone) < b.erase {
			if e := newErased(x, list[i].id); e != nil {
				gone = append(gone, e)
				continue
			}
		}
		others = append(others, p.render(call{method: "GET", path: "/v1/profiles/" + list[i].id, as: desk, purpose: service}))
	}
	if len(others) == 0 {
		return fmt.Errorf("-erase %d: there are only %d persons to choose from", b.erase, len(list))
	}
	s, err := p.serve(ctx)
	if err != nil {
		return err
	}
	chosen := len(gone)
	if gone, err = p.sendAgain(s, gone); err != nil {
		return err
	}
	b.table.tell("erase: left out, as a record sent again as it is went to another identity", "%d of %d", chosen-len(gone), chosen)
	if len(gone) == 0 {
		return errors.New("nobody stays in an identity whose record is sent again as it is")
	}
	if err := b.silos.wholeAddresses(gone); err != nil {
		return err
	}
	if err := p.sighted(ctx, gone); err != nil {
		return err
	}
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan *outcome, 1)
	go func() { done <- load{s.address, b.connections, 24 * time.Hour, inTurn(others), nil}.closed(loaded) }()
	var took []float64
	for _, e := range gone {
		t, err := p.eraseOne(s, e)
		if err != nil {
			return err
		}
		took = append(took, t.Seconds())
	}
	stop()
	b.fine("erase, reads of others", <-done)
	slices.Sort(took)
	b.table.atMost(fmt.Sprintf("erase: until gone from all read paths, longest of %d", len(gone)), " s", took[len(took)-1], 1, 0)
	if err := s.stop(); err != nil {
		return err
	}
	return errors.Join(p.searched(ctx, gone), p.verifyLog(ctx), p.remove())
}

// erased is a person to erase.
type erased struct {
	id      string
	keys    []record.Key
	emails  []string   // normal forms that nobody else has
	whole   []string   // of emails, those that are no part of a longer one in the exports
	texts   []string   // e-mail addresses and phone numbers that nobody else has, raw and normal
	full    [][]string // given name, family name and birth date of its records, in normal form
	partial map[string]string
}

// newErased gathers what names an identity; nil if nothing would tell it from
// others in a file.
func newErased(x *index.Index, id string) *erased {
	i, ok := x.Find(id)
	if !ok {
		return nil
	}
	e := &erased{id: id, partial: make(map[string]string)}
	for _, r := range x.Members(i) {
		e.keys = append(e.keys, x.Key(r))
		name := make(map[record.Field]string)
		for c, info := range x.Columns() {
			code := x.Code(c, r)
			if code == 0 {
				continue
			}
			switch info.Field {
			case record.Email, record.Phone:
				// What others have as well stays in the files for their sake.
				if x.Generic(c, code) || sharedValue(x, c, code, i) {
					continue
				}
				e.texts = append(e.texts, x.Normal(c, code), x.Raw(c, r))
				if info.Field == record.Email {
					e.emails = append(e.emails, x.Normal(c, code))
				}
			case record.GivenName, record.FamilyName, record.BirthDate:
				name[info.Field] = x.Normal(c, code)
				e.partial[info.Field.String()] = x.Raw(c, r)
			}
		}
		if len(name) == 3 {
			e.full = append(e.full, []string{name[record.GivenName], name[record.FamilyName], name[record.BirthDate]})
		}
	}
	slices.Sort(e.texts)
	e.texts = slices.Compact(e.texts)
	if len(e.emails) == 0 {
		return nil
	}
	return e
}

// sharedValue reports whether another identity has a value as well, in any column
// of the same field.
func sharedValue(x *index.Index, c int, code uint32, own uint32) bool {
	info, text := x.Columns()[c], x.Normal(c, code)
	for other, o := range x.Columns() {
		if o.Field != info.Field {
			continue
		}
		found, ok := x.FindNormal(other, text)
		if !ok {
			continue
		}
		with := x.RecordsWith(other, found)
		if uint32(len(with)) != x.Count(other, found) {
			return true // the column does not tell who has it
		}
		if slices.ContainsFunc(with, func(r uint32) bool { return x.IdentityOf(r) != own }) {
			return true
		}
	}
	return false
}

// sendAgain sends a record of each person online as it is, so that the state has
// their values, too, and a consent. It leaves out whoever is not the same identity
// then.
func (p *place) sendAgain(s *server, gone []*erased) (stayed []*erased, err error) {
	l := &line{address: s.address}
	defer l.close()
	rows := make(map[record.Key]*row)
	for i := range p.silos.known {
		rows[p.silos.known[i].key] = &p.silos.known[i]
	}
	for n, e := range gone {
		// One of them is sampled: by it the person was found.
		k := e.keys[slices.IndexFunc(e.keys, func(k record.Key) bool { return rows[k] != nil })]
		var got taken
		if err := p.ask(l, putCall(fmt.Sprintf("erase-%d", n), record1{k, rows[k].fields()}), &got); err != nil {
			return nil, err
		}
		if got.Records[0].IdentityID != e.id {
			continue
		}
		if err := p.ask(l, call{method: "POST", path: "/v1/consents", as: owner, body: map[string]any{"events": []any{said(k, "grant")}}}, nil); err != nil {
			return nil, err
		}
		stayed = append(stayed, e)
	}
	return stayed, nil
}

// eraseOne erases a person and asks every read path until none knows of it. The
// time is from when the erasure is sent.
func (p *place) eraseOne(s *server, e *erased) (time.Duration, error) {
	l := &line{address: s.address}
	defer l.close()
	began := time.Now()
	var done struct{ Records int }
	if err := p.ask(l, call{method: "POST", path: "/v1/erasures", as: owner, body: map[string]any{"person": map[string]string{"identity_id": e.id}, "reason": "asked"}}, &done); err != nil {
		return 0, err
	}
	if done.Records < len(e.keys) {
		p.violated("erase", "identity %s: %d records were erased, it has %d", e.id, done.Records, len(e.keys))
	}
	for {
		where, err := p.stillRead(l, e)
		if err != nil {
			return 0, err
		}
		if where == "" {
			return time.Since(began), nil
		}
		if time.Since(began) > 10*time.Second {
			p.violated("erase", "identity %s is still there after 10 s: %s", e.id, where)
			return time.Since(began), nil
		}
	}
}

// stillRead names a read path that knows an erased person, "" if none does.
func (p *place) stillRead(l *line, e *erased) (string, error) {
	for _, path := range []string{"/v1/profiles/" + e.id, "/v1/consents?identity_id=" + e.id, "/v1/explain?identity_id=" + e.id} {
		status, body, err := l.do(p.render(call{method: "GET", path: path, as: owner, purpose: service}))
		if err != nil {
			return "", err
		}
		if status != 404 && status != 410 {
			return fmt.Sprintf("GET %s answers %d %s", path, status, body), nil
		}
	}
	asked := []any{map[string]any{"identity_id": e.id}}
	for _, k := range e.keys {
		asked = append(asked, map[string]any{"record": keyed(k)})
	}
	for _, email := range e.emails {
		asked = append(asked, map[string]any{"identifier": map[string]string{"field": "email", "value": email}})
	}
	for _, body := range asked {
		var found profiles
		if err := p.ask(l, call{method: "POST", path: "/v1/profiles:lookup", as: desk, purpose: service, body: body}, &found); err != nil {
			return "", err
		}
		var consents struct{ Consents []profile }
		if err := p.ask(l, call{method: "POST", path: "/v1/consents:lookup", as: owner, purpose: service, body: body}, &consents); err != nil {
			return "", err
		}
		if len(found.Profiles) > 0 || len(consents.Consents) > 0 {
			return fmt.Sprintf("a lookup by %v finds %s", body, found.ids()), nil
		}
	}
	fields := map[string]string{"email": e.emails[0]}
	for name, v := range e.partial {
		fields[name] = v
	}
	var got struct{ Matches []struct{ Profile profile } }
	if err := p.ask(l, call{method: "POST", path: "/v1/profiles:search", as: desk, purpose: service, body: map[string]any{"fields": fields}}, &got); err != nil {
		return "", err
	}
	for _, m := range got.Matches {
		if m.Profile.IdentityID == e.id {
			return "a search finds it", nil
		}
	}
	return "", nil
}
