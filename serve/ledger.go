package serve

import (
	"context"
	"fmt"
	"slices"

	"sama/record"
	"sama/serve/consent"
	"sama/serve/store"
)

// digests returns the keyed digests of a contact point under every key, the one
// under the newest last.
func (s *Server) digests(field record.Field, normal string) []string {
	hashers := s.hashers.Get().(*[]*store.Hasher)
	defer s.hashers.Put(hashers)
	out := make([]string, len(*hashers))
	for i, h := range *hashers {
		out[i] = h.Digest(field.String(), normal).String()
	}
	return out
}

// contact is a contact point as the ledger names it.
func (s *Server) contact(field record.Field, normal string) consent.Contact {
	all := s.digests(field, normal)
	return consent.Contact{Kind: field.String(), Digest: all[len(all)-1]}
}

// ledger returns all that was said of an identity, each event once, as it was
// said: what a person or a client is shown.
func (s *Server) ledger(ctx context.Context, e Engine, g *Golden) ([]consent.Event, error) {
	events, _, err := s.gather(ctx, e, g)
	return events, err
}

// ledger returns all that was said of an identity as [consent.Spread] has it: what
// is decided by.
func (r *releaser) ledger(ctx context.Context, e Engine, g *Golden) ([]consent.Event, error) {
	events, contacts, err := r.gather(ctx, e, g)
	return spread(events, contacts), err
}

// spread returns what was said of an identity as [consent.Spread] has it, which
// is an event for every contact point that one at a record is about. contacts are
// the contact points of the records.
func spread(events []consent.Event, contacts map[record.Key][]consent.Contact) []consent.Event {
	ledger := make([]consent.Event, 0, len(events))
	for _, event := range events {
		ledger = consent.Spread(ledger, event, contacts[record.Key{Source: event.Anchor.Name, ID: event.Anchor.Value}])
	}
	return ledger
}

// gather returns all that was said of an identity, the events of its records and
// contact points in the state and those of the run, and the contact points of its
// records.
func (s *Server) gather(ctx context.Context, e Engine, g *Golden) ([]consent.Event, map[record.Key][]consent.Contact, error) {
	anchors := make([]string, 0, len(g.Records)+len(g.Identifiers))
	for _, k := range g.Records {
		anchors = append(anchors, consent.OfRecord(k.Source, k.ID).String())
	}
	// Digests under an older key are brought to the newest one.
	renew := make(map[consent.Contact]consent.Contact)
	contacts := make(map[record.Key][]consent.Contact)
	for _, c := range g.Identifiers {
		if c.Field != record.Email && c.Field != record.Phone {
			continue
		}
		kind, all := c.Field.String(), s.digests(c.Field, c.Normal)
		newest := consent.Contact{Kind: kind, Digest: all[len(all)-1]}
		for _, digest := range all {
			old := consent.Contact{Kind: kind, Digest: digest}
			renew[old] = newest
			anchors = append(anchors, consent.OfContact(old).String())
		}
		contacts[c.Record] = append(contacts[c.Record], newest)
	}
	rows, err := s.Store.ConsentsOf(ctx, anchors)
	if err != nil {
		return nil, nil, stateProblem(err)
	}
	events, err := e.Consents(g.Records)
	if err != nil {
		return nil, nil, err
	}
	if events, err = s.ofControllers(ctx, events); err != nil {
		return nil, nil, err
	}
	for i := range rows {
		event, err := eventOf(&rows[i])
		if err != nil {
			return nil, nil, fmt.Errorf("consent event %d: %w", rows[i].ID, err)
		}
		events = append(events, event)
	}
	for i := range events {
		a := &events[i].Anchor
		if newest, ok := renew[a.Contact()]; ok && a.Kind == consent.ContactAnchor {
			*a = consent.OfContact(newest)
		}
	}
	return events, contacts, nil
}

// ofControllers returns imported events with the controllers of their purposes: an
// export says yes or no to the company whose export it is.
func (s *Server) ofControllers(ctx context.Context, imported []consent.Event) ([]consent.Event, error) {
	if len(imported) == 0 {
		return nil, nil
	}
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	events := slices.Clone(imported)
	for i := range events {
		if p, ok := all.find(events[i].Purpose); ok && events[i].Controller == "" {
			events[i].Controller = p.Controller
		}
	}
	return events, nil
}

// eventOf reads an event of the state.
func eventOf(row *store.ConsentEvent) (consent.Event, error) {
	e := consent.Event{
		ID: row.ID, Purpose: row.Purpose, Channel: consent.Channel(row.Channel), Controller: row.Controller,
		At: row.At, Recorded: row.Recorded, Expires: row.Expires, Source: row.Source, TextVersion: row.TextVersion, Receipt: row.Receipt,
	}
	var err error
	if e.Anchor, err = consent.ParseAnchor(row.Anchor); err != nil {
		return e, fmt.Errorf("its anchor cannot be read")
	}
	if e.Act, err = consent.ParseAct(row.Act); err != nil {
		return e, err
	}
	e.Authenticated, err = consent.ParseAuthenticated(row.Authenticated)
	return e, err
}

// questions are what is asked of the ledger for a purpose: one for every channel
// of it and every contact point that the golden record has for the channel.
func (s *Server) questions(p *consent.Purpose, e Engine, g *Golden) []consent.Question {
	if len(p.Channels) == 0 {
		return []consent.Question{{}}
	}
	columns := e.Columns()
	var out []consent.Question
	for _, c := range p.Channels {
		before, kind := len(out), c.ContactKind()
		for i := range g.Values {
			v := &g.Values[i]
			column := columns[v.Column]
			if kind == "" || column.Field.String() != kind {
				continue
			}
			if v.Normal != "" {
				out = append(out, consent.Question{Channel: c, Contact: s.contact(column.Field, v.Normal), Column: column.Name})
			}
		}
		if len(out) == before {
			out = append(out, consent.Question{Channel: c})
		}
	}
	return out
}
