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

// Erase answers POST /v1/erasures.
func (s *Server) Erase(ctx context.Context, q api.EraseRequestObject) (api.EraseResponseObject, error) {
	e, release, err := s.engineAlone()
	if err != nil {
		return nil, err
	}
	defer release()
	id, err := one(ctx, e, &q.Body.Person)
	if err != nil {
		return nil, err
	}
	g, err := findGolden(e, id)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = g.ID
	aliases, err := e.Aliases(g.ID)
	if err != nil {
		return nil, err
	}
	erasure := store.Erasure{Identities: append([]string{g.ID}, aliases...), Reason: or(q.Body.Reason), By: seenOf(ctx).client.Name}
	person, uncaught := s.person(e, g)
	erasure.Uncaught = uncaught
	done, clean, err := s.Store.Erase(ctx, erasure, person)
	if err != nil {
		return nil, writeProblem(err)
	}
	s.erasedHere.Store(done.ID, true)
	if !clean {
		// The state is asked again until it is clean.
		s.scrub.Store(true)
	}
	if err := s.forget(ctx, e, g.Records); err != nil {
		return nil, err
	}
	return api.Erase200JSONResponse{
		ErasureId: done.ID, IdentityId: g.ID, At: done.At.UTC(), Records: len(g.Records),
		Tombstones: int(done.Counts.Tombstones), NotCaught: append([]string{}, done.Uncaught...),
	}, nil
}

// person gathers what of an identity is erased, by what it is known again, and
// what is not.
func (s *Server) person(e Engine, g *Golden) (store.Person, []string) {
	var p store.Person
	for _, k := range g.Records {
		p.Marks = append(p.Marks, store.Mark{Kind: store.KindRecord, Value: k.String()})
	}
	shared := 0
	seen := make(map[store.Mark]bool)
	for _, i := range g.Identifiers {
		mark := store.Mark{Kind: i.Field.String(), Value: i.Normal}
		if seen[mark] || !slices.Contains(erasedFields, i.Field) {
			continue
		}
		seen[mark] = true
		// A value that others have as well would keep them out, too, and what was
		// said of it stays theirs.
		if ids, more := e.OfNormal(i.Field, i.Normal, 2); more || len(ids) > 1 || len(ids) == 1 && ids[0] != g.ID {
			shared++
			continue
		}
		p.Marks = append(p.Marks, mark)
		if i.Field == record.Email || i.Field == record.Phone {
			for _, digest := range s.digests(i.Field, i.Normal) {
				p.Anchors = append(p.Anchors, consent.OfContact(consent.Contact{Kind: mark.Kind, Digest: digest}).String())
			}
		}
	}
	uncaught := []string{
		"A record that comes with another key and only a name, a birth date or an address is not known again: tombstones of those are not lawful.",
		"The sources still have the records: each has to erase its own.",
		"Exports, backups and copies that left sama before are with those who have them.",
	}
	if shared > 0 {
		uncaught = append(uncaught, fmt.Sprintf("Others have the same contact points or identifiers, %d of them: those have no tombstone.", shared))
	}
	return p, uncaught
}

// forget takes records of an erased person out of a run.
func (s *Server) forget(ctx context.Context, e Engine, records []record.Key) error {
	for _, k := range records {
		if _, err := e.Delete(ctx, k, func(Arrival) (int64, error) { return 0, nil }); err != nil {
			return err
		}
	}
	return nil
}

// withoutErased takes out of a run whoever was erased: of the identities of all
// erasures, the records that have a tombstone. In a run that was made before an
// erasure was known, the person's records may belong to other identities than
// the erasure names: whole looks at all records of such a run.
func (s *Server) withoutErased(ctx context.Context, e Engine, whole bool) error {
	list, err := s.Store.Erasures(ctx, 0)
	if err != nil || len(list) == 0 {
		return err
	}
	set, _, err := s.tombs(ctx)
	if err != nil {
		return err
	}
	dead := set.Matcher(store.KindRecord)
	for i := range list {
		for _, id := range list[i].Identities {
			g, ok, err := e.Golden(id)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			gone := slices.DeleteFunc(slices.Clone(g.Records), func(k record.Key) bool { return !dead.Erased(k.String()) })
			if err := s.forget(ctx, e, gone); err != nil {
				return err
			}
		}
	}
	if !whole || e.Erased() >= list[len(list)-1].ID {
		return nil
	}
	var gone []record.Key
	for k := range e.Keys() {
		if dead.Erased(k.String()) {
			gone = append(gone, k)
		}
	}
	return s.forget(ctx, e, gone)
}

// followEvery is how often the state is asked what other processes did.
const followEvery = 250 * time.Millisecond

// follow takes up what other processes put and erased, and finishes the
// scrubbing of the state, until ctx ends.
func (s *Server) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("the state could not be followed", "error", err.Error())
		}
		if s.scrub.CompareAndSwap(true, false) {
			if clean, err := s.Store.Scrub(ctx); err != nil || !clean {
				s.scrub.Store(true)
			}
		}
	}
}

// catchUp takes up what is new in the state.
func (s *Server) catchUp(ctx context.Context) error {
	revision, err := s.Store.Revision(ctx)
	if err != nil {
		return err
	}
	e, release, err := s.engine()
	if err != nil {
		return err
	}
	defer release()
	if e.Seen() < s.online {
		s.writing.Lock()
		err := e.CatchUp(ctx)
		s.writing.Unlock()
		if err != nil {
			return err
		}
	}
	s.online = revision.Online
	if s.Decided != nil {
		if err := s.Decided.refresh(ctx, revision); err != nil {
			return err
		}
	}
	if now := (followed{e.RunID(), revision.Erasures}); s.followed != now {
		others, err := s.erasedByOthers(ctx, s.followed.erasures)
		if err != nil {
			return err
		}
		if err := s.withoutErased(ctx, e, others); err != nil {
			return err
		}
		s.followed = now
	}
	return nil
}

// erasedByOthers reports whether other processes, which may serve another run,
// have erased somebody since an erasure.
func (s *Server) erasedByOthers(ctx context.Context, since int64) (others bool, err error) {
	list, err := s.Store.Erasures(ctx, since)
	for i := range list {
		_, own := s.erasedHere.LoadAndDelete(list[i].ID)
		others = others || !own
	}
	return others, err
}

// ListAccess answers GET /v1/access.
func (s *Server) ListAccess(ctx context.Context, q api.ListAccessRequestObject) (api.ListAccessResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	g, err := findGolden(e, q.Params.IdentityId)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = g.ID
	limit := 100
	if q.Params.Limit != nil {
		limit = *q.Params.Limit
	}
	aliases, err := e.Aliases(g.ID)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.AccessOf(ctx, append([]string{g.ID}, aliases...), or(q.Params.Before), limit+1)
	if err != nil {
		return nil, stateProblem(err)
	}
	out := api.ListAccess200JSONResponse{IdentityId: g.ID, Entries: []api.AccessEntry{}}
	if len(rows) > limit {
		rows = rows[:limit]
		out.Next = &rows[limit-1].ID
	}
	for i := range rows {
		out.Entries = append(out.Entries, entryOf(&rows[i]))
	}
	return out, s.logged(ctx, "access", []*Golden{g})
}

// entryOf is a row of the access log as the contract has it: the client, not
// the person at it.
func entryOf(a *store.Access) api.AccessEntry {
	entry := api.AccessEntry{Sequence: a.ID, At: a.At.UTC(), Client: a.Client, Purpose: a.Purpose, What: a.What, Fields: append([]string{}, a.Fields...)}
	if a.Job != "" {
		entry.Job = &a.Job
	}
	return entry
}
