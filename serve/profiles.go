package serve

import (
	"context"
	"errors"

	"sama/record"
	"sama/serve/api"
)

// maxLookup is how many profiles a lookup answers with.
const maxLookup = 20

// GetProfile answers GET /v1/profiles/{identity_id}.
func (s *Server) GetProfile(ctx context.Context, q api.GetProfileRequestObject) (api.GetProfileResponseObject, error) {
	r, err := s.releaser(ctx)
	if err != nil {
		return nil, err
	}
	j, err := r.find(ctx, q.IdentityId)
	if err != nil {
		return nil, err
	}
	tag := r.tag(j)
	if matches(q.Params.IfNoneMatch, tag) {
		return api.GetProfile304Response{Headers: api.GetProfile304ResponseHeaders{ETag: &tag}}, nil
	}
	list, err := r.profiles(ctx, "read", []*judged{j})
	if err != nil {
		return nil, err
	}
	return api.GetProfile200JSONResponse{Body: list[0], Headers: api.GetProfile200ResponseHeaders{ETag: &tag}}, nil
}

// LookupProfiles answers POST /v1/profiles:lookup.
func (s *Server) LookupProfiles(ctx context.Context, q api.LookupProfilesRequestObject) (api.LookupProfilesResponseObject, error) {
	r, err := s.releaser(ctx)
	if err != nil {
		return nil, err
	}
	ids, more, err := lookup(ctx, r.engine, q.Body, maxLookup)
	if err != nil {
		return nil, err
	}
	var found []*judged
	for _, id := range ids {
		j, err := r.find(ctx, id)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if j.allowed() {
			found = append(found, j)
		}
	}
	out := api.LookupProfiles200JSONResponse{More: more}
	out.Profiles, err = r.profiles(ctx, "lookup", found)
	return out, err
}

// lookup returns the identities that a reference names, in order of their ids.
// That there is none is no error.
func lookup(ctx context.Context, e Engine, ref *api.PersonReference, limit int) (ids []string, more bool, err error) {
	switch {
	case ref.IdentityId != nil:
		id, retired, ok := e.Identity(*ref.IdentityId)
		if ok && !retired {
			ids = []string{id}
		}
	case ref.Record != nil:
		if id, ok := e.OfRecord(record.Key{Source: ref.Record.Source, ID: ref.Record.RecordId}); ok {
			ids = []string{id}
		}
	case ref.Identifier != nil:
		field, err := record.ParseField(string(ref.Identifier.Field))
		if err != nil {
			return nil, false, err
		}
		if ids, more, err = e.OfIdentifier(ctx, field, ref.Identifier.Value, limit); err != nil {
			return nil, false, err
		}
	default:
		return nil, false, refuse("invalid_request", "name the person by identity_id, record or identifier")
	}
	return ids, more, nil
}

// one is lookup for those who must have exactly one.
func one(ctx context.Context, e Engine, ref *api.PersonReference) (string, error) {
	if ref.IdentityId != nil {
		g, err := findGolden(e, *ref.IdentityId)
		if err != nil {
			return "", err
		}
		return g.ID, nil
	}
	ids, more, err := lookup(ctx, e, ref, 2)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", refuse("unknown_identity", "no identity has that record or identifier")
	case len(ids) > 1 || more:
		return "", refuse("ambiguous_person", "several identities have that identifier; name one by its identity id")
	}
	return ids[0], nil
}

// SearchProfiles answers POST /v1/profiles:search.
func (s *Server) SearchProfiles(ctx context.Context, q api.SearchProfilesRequestObject) (api.SearchProfilesResponseObject, error) {
	r, err := s.releaser(ctx)
	if err != nil {
		return nil, err
	}
	limit := 5
	if q.Body.Limit != nil {
		limit = *q.Body.Limit
	}
	hits, ignored, err := r.engine.Search(ctx, q.Body.Fields, limit)
	if err != nil {
		return nil, recordProblem(err)
	}
	var found []*judged
	var kept []Hit
	for _, h := range hits {
		j, err := r.find(ctx, h.ID)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if j.allowed() {
			found, kept = append(found, j), append(kept, h)
		}
	}
	profiles, err := r.profiles(ctx, "search", found)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = ""
	out := api.SearchProfiles200JSONResponse{Matches: make([]api.Match, len(kept)), Ignored: append([]string{}, ignored...)}
	for i, h := range kept {
		out.Matches[i] = api.Match{Profile: profiles[i], MatchWeight: h.Weight.Bits(), Probability: h.Weight.Probability(), Reasons: r.reasons(h.Reasons, found[i])}
	}
	return out, nil
}

// isGone reports whether an error says that an identity is no more, which can
// come between finding and reading it.
func isGone(err error) bool {
	var p *problem
	return errors.As(err, &p) && (p.code == "identity_retired" || p.code == "unknown_identity")
}
