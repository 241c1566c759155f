package serve

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sama/record"
	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"
)

// GetConsents answers GET /v1/consents.
func (s *Server) GetConsents(ctx context.Context, q api.GetConsentsRequestObject) (api.GetConsentsResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	g, err := findGolden(e, q.Params.IdentityId)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = g.ID
	list, err := s.consentsOf(ctx, e, []*Golden{g})
	if err != nil {
		return nil, err
	}
	return api.GetConsents200JSONResponse(list[0]), nil
}

// LookupConsents answers POST /v1/consents:lookup.
func (s *Server) LookupConsents(ctx context.Context, q api.LookupConsentsRequestObject) (api.LookupConsentsResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	ids, _, err := lookup(ctx, e, q.Body, maxLookup)
	if err != nil {
		return nil, err
	}
	var found []*Golden
	for _, id := range ids {
		g, ok, err := e.Golden(id)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, g)
		}
	}
	list, err := s.consentsOf(ctx, e, found)
	return api.LookupConsents200JSONResponse{Consents: list}, err
}

// consentsOf returns the consents of identities, once the access log says so.
func (s *Server) consentsOf(ctx context.Context, e Engine, found []*Golden) ([]api.Consents, error) {
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]api.Consents, len(found))
	for i, g := range found {
		events, contacts, err := s.gather(ctx, e, g)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(events, func(a, b consent.Event) int { return a.When().Compare(b.When()) })
		c := api.Consents{IdentityId: g.ID, Events: []api.ConsentEvent{}, Decisions: []api.ConsentDecision{}}
		for k := range events {
			c.Events = append(c.Events, recorded(&events[k]))
		}
		events = spread(events, contacts)
		for k := range all.list {
			c.Decisions = append(c.Decisions, s.decide(e, g, &all.list[k], events)...)
		}
		list[i] = c
	}
	return list, s.logged(ctx, "consents", found)
}

// decide decides every question of a purpose.
func (s *Server) decide(e Engine, g *Golden, p *purpose, events []consent.Event) []api.ConsentDecision {
	var list []consent.Decision
	for _, q := range s.questions(&p.Purpose, e, g) {
		list = append(list, consent.Decide(&p.Purpose, q, events, s.Now()))
	}
	return decisionsOf(list)
}

// logged writes into the access log that something of identities leaves which
// is no profile. It returns when it is on disk.
func (s *Server) logged(ctx context.Context, what string, found []*Golden) error {
	seen := seenOf(ctx)
	rows := make([]store.Access, len(found))
	for i, g := range found {
		rows[i] = store.Access{At: s.Now(), Client: seen.client.Name, Purpose: seen.purpose, Identity: g.ID, What: what}
	}
	if err := s.Store.AppendAccess(ctx, rows); err != nil {
		return stateProblem(err)
	}
	return nil
}

// recorded is a consent event as the contract has it.
func recorded(e *consent.Event) api.ConsentEvent {
	out := api.ConsentEvent{
		Anchor: e.Anchor.String(), Purpose: e.Purpose, Act: e.Act.String(), Authenticated: api.Authentication(e.Authenticated.String()),
		At: e.When().UTC(), Source: e.Source, Recorded: timeOf(e.Recorded), Expires: timeOf(e.Expires),
	}
	if e.ID > 0 {
		out.EventId = &e.ID
	}
	for _, x := range []struct {
		to   **string
		text string
	}{{&out.Channel, string(e.Channel)}, {&out.Controller, e.Controller}, {&out.TextVersion, e.TextVersion}, {&out.Receipt, e.Receipt}} {
		if x.text != "" {
			*x.to = &x.text
		}
	}
	return out
}

// AddConsents answers POST /v1/consents.
func (s *Server) AddConsents(ctx context.Context, q api.AddConsentsRequestObject) (api.AddConsentsResponseObject, error) {
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	keep := request(ctx, q.Params.IdempotencyKey)
	if earlier, ok, err := answered[api.AddConsentsResult](ctx, s, keep); ok || err != nil {
		return api.AddConsents200JSONResponse(earlier), err
	}
	now := s.Now().UTC()
	events := make([]consent.Event, len(q.Body.Events))
	var also store.Also
	for i := range q.Body.Events {
		identities, err := s.said(ctx, e, all, &q.Body.Events[i], now, seenOf(ctx).client.Name, &events[i], i)
		if err != nil {
			return nil, err
		}
		for _, id := range identities {
			also.Feed = append(also.Feed, event("consent", id, feedDetail{Purpose: events[i].Purpose}))
		}
	}
	rows := make([]store.ConsentEvent, len(events))
	for i := range events {
		if rows[i] = rowOf(&events[i]); q.Body.Events[i].At == nil {
			rows[i].At = time.Time{} // now, by the state
		}
	}
	answer := func(numbers []int64) api.AddConsentsResult {
		out := api.AddConsentsResult{Events: make([]api.ConsentEvent, len(events))}
		for i := range events {
			event := events[i]
			event.ID, event.Recorded = numbers[i], now
			out.Events[i] = recorded(&event)
		}
		return out
	}
	also.Request = remember(keep, answer)
	done, err := s.Store.AddConsents(ctx, rows, also)
	if err != nil {
		return nil, writeProblem(err)
	}
	if done.Replayed {
		out, err := replayed[api.AddConsentsResult](done)
		return api.AddConsents200JSONResponse(out), err
	}
	return api.AddConsents200JSONResponse(answer(done.Numbers)), nil
}

// futureSlack is how far the clock of a client may be ahead.
const futureSlack = 5 * time.Minute

// said makes event i of what a person said, and names the identities that it
// is about now.
func (s *Server) said(ctx context.Context, e Engine, all *readPurposes, in *api.ConsentInput, now time.Time, client string, out *consent.Event, i int) ([]string, error) {
	p, ok := all.find(in.Purpose)
	if !ok {
		return nil, &problem{code: "unknown_purpose", detail: "there is no such purpose; sama purpose add makes one", places: placeOf("/events/%d/purpose", i, "there is no such purpose")}
	}
	if c := consent.Channel(or(in.Channel)); c != "" && !slices.Contains(p.Channels, c) {
		return nil, &problem{code: "unprocessable", detail: fmt.Sprintf("purpose %s does not have that channel", p.ID), places: placeOf("/events/%d/channel", i, "the purpose does not have it")}
	}
	*out = consent.Event{Purpose: p.ID, Channel: consent.Channel(or(in.Channel)), Controller: p.Controller, At: now, Recorded: now,
		Source: client, TextVersion: or(in.TextVersion), Receipt: or(in.Receipt)}
	if in.At != nil {
		if out.At = in.At.UTC(); out.At.After(now.Add(futureSlack)) {
			return nil, &problem{code: "future_time", detail: "nothing can have been said in the future", places: placeOf("/events/%d/at", i, "it is in the future")}
		}
	}
	if in.Expires != nil {
		out.Expires = in.Expires.UTC()
	}
	var err error
	if out.Act, err = consent.ParseAct(string(in.Act)); err == nil {
		out.Authenticated, err = consent.ParseAuthenticated(string(in.Authenticated))
	}
	if err != nil {
		return nil, err
	}
	identities, err := s.anchor(ctx, e, &in.Anchor, out, i)
	if err != nil {
		return nil, err
	}
	if err := out.Validate(); err != nil {
		return nil, &problem{code: "unprocessable", detail: fmt.Sprintf("event %d cannot be recorded: %v", i+1, err), places: placeOf("/events/%d", i, err.Error())}
	}
	return identities, nil
}

// anchor ties an event to what the client named.
func (s *Server) anchor(ctx context.Context, e Engine, in *api.Anchor, out *consent.Event, i int) ([]string, error) {
	switch {
	case in.Record != nil:
		out.Anchor = consent.OfRecord(in.Record.Source, in.Record.RecordId)
		if err := s.refuseErased(ctx, keyOf(*in.Record), placeOf("/events/%d/anchor/record", i, "it has no such record")); err != nil {
			return nil, err
		}
		if id, ok := e.OfRecord(record.Key{Source: in.Record.Source, ID: in.Record.RecordId}); ok {
			return []string{id}, nil
		}
		return []string{""}, nil
	case in.Contact != nil:
		field, err := record.ParseField(string(in.Contact.Field))
		if err != nil {
			return nil, err
		}
		normal, err := e.Normal(ctx, field, in.Contact.Value)
		if err != nil {
			return nil, err
		}
		if normal == "" {
			return nil, &problem{code: "unprocessable", detail: "that is no such address or number", places: placeOf("/events/%d/anchor/contact/value", i, "it cannot be understood")}
		}
		out.Anchor = consent.OfContact(s.contact(field, normal))
		ids, _ := e.OfNormal(field, normal, maxLookup)
		if len(ids) == 0 {
			ids = []string{""}
		}
		return ids, nil
	case in.Account != nil:
		out.Anchor = consent.OfAccount(*in.Account)
		return []string{""}, nil
	}
	return nil, refuse("invalid_request", "an anchor is a record, a contact or an account")
}

// rowOf is an event as the state keeps it.
func rowOf(e *consent.Event) store.ConsentEvent {
	return store.ConsentEvent{
		Anchor: e.Anchor.String(), Purpose: e.Purpose, Channel: string(e.Channel), Controller: e.Controller, Act: e.Act.String(),
		At: e.At, Source: e.Source, Authenticated: e.Authenticated.String(), TextVersion: e.TextVersion, Receipt: e.Receipt, Expires: e.Expires,
	}
}
