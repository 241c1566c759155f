package serve

import (
	"context"
	"errors"

	"sama/record"
	"sama/serve/api"
	"sama/serve/store"
)

// ListDecisions answers GET /v1/decisions.
func (s *Server) ListDecisions(ctx context.Context, q api.ListDecisionsRequestObject) (api.ListDecisionsResponseObject, error) {
	all, err := s.Store.Decisions(ctx, store.Active)
	if err != nil {
		return nil, stateProblem(err)
	}
	limit := 100
	if q.Params.Limit != nil {
		limit = *q.Params.Limit
	}
	out := api.ListDecisions200JSONResponse{Decisions: []api.SteeringDecision{}}
	for i := range all {
		if all[i].ID <= or(q.Params.After) {
			continue
		}
		if out.More = len(out.Decisions) == limit; out.More {
			break
		}
		out.Decisions = append(out.Decisions, decisionOf(&all[i]))
	}
	seen := seenOf(ctx)
	row := store.Access{At: s.Now(), Client: seen.client.Name, Purpose: seen.purpose, Job: "decisions", What: "decisions", Persons: int64(len(out.Decisions))}
	if err := s.Store.AppendAccess(ctx, []store.Access{row}); err != nil {
		return nil, stateProblem(err)
	}
	return out, nil
}

// Decide answers POST /v1/decisions. Deciding the same again changes nothing,
// so that an idempotency key has nothing to do.
func (s *Server) Decide(ctx context.Context, q api.DecideRequestObject) (api.DecideResponseObject, error) {
	d := store.Decision{Kind: store.Same, A: keyOf(q.Body.A), B: keyOf(q.Body.B), Reason: or(q.Body.Reason), By: seenOf(ctx).client.Name}
	if q.Body.Decision == "not-same" {
		d.Kind = store.NotSame
	}
	if d.A == d.B {
		return nil, refuse("same_record_twice", "a decision is about two different records")
	}
	for _, k := range []record.Key{d.A, d.B} {
		if err := s.refuseErased(ctx, k, nil); err != nil {
			return nil, err
		}
	}
	recorded, outcome, err := s.Store.Decide(ctx, d)
	var opposite *store.OppositeError
	switch {
	case errors.As(err, &opposite):
		return nil, refuse("opposite_decision", opposite.Error())
	case err != nil:
		return nil, stateProblem(err)
	}
	return api.Decide200JSONResponse{Outcome: api.DecideResultOutcome(outcome.String()), Decision: decisionOf(&recorded)}, nil
}

// RevokeDecision answers POST /v1/decisions/{decision_id}/revoke.
func (s *Server) RevokeDecision(ctx context.Context, q api.RevokeDecisionRequestObject) (api.RevokeDecisionResponseObject, error) {
	revoked, err := s.Store.Revoke(ctx, q.DecisionId, seenOf(ctx).client.Name, or(q.Body.Reason))
	var none *store.NotFoundError
	var before *store.RevokedError
	switch {
	case errors.As(err, &none):
		return nil, refuse("not_found", none.Error())
	case errors.As(err, &before):
		return nil, refuse("already_revoked", before.Error())
	case err != nil:
		return nil, stateProblem(err)
	}
	return api.RevokeDecision200JSONResponse(decisionOf(&revoked)), nil
}

// decisionOf is a decision as the contract has it.
func decisionOf(d *store.Decision) api.SteeringDecision {
	return api.SteeringDecision{
		DecisionId: d.ID, Decision: api.DecisionKind(d.Kind.String()), A: keysOf([]record.Key{d.A})[0], B: keysOf([]record.Key{d.B})[0],
		Reason: d.Reason, By: d.By, Made: d.Made.UTC(), Revoked: timeOf(d.Revoked),
	}
}

func keyOf(k api.RecordKey) record.Key { return record.Key{Source: k.Source, ID: k.RecordId} }

// ExplainIdentity answers GET /v1/explain.
func (s *Server) ExplainIdentity(ctx context.Context, q api.ExplainIdentityRequestObject) (api.ExplainIdentityResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	g, err := findGolden(e, q.Params.IdentityId)
	if err != nil {
		return nil, err
	}
	seenOf(ctx).identity = g.ID
	edges, err := e.Edges(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	out := api.ExplainIdentity200JSONResponse{IdentityId: g.ID, Records: keysOf(g.Records), Edges: make([]api.Edge, len(edges))}
	for i, edge := range edges {
		out.Edges[i] = api.Edge{A: keysOf([]record.Key{edge.A})[0], B: keysOf([]record.Key{edge.B})[0], MatchWeight: edge.Weight.Bits()}
	}
	return out, s.logged(ctx, "explain", []*Golden{g})
}

// ExplainPair answers POST /v1/explain.
func (s *Server) ExplainPair(ctx context.Context, q api.ExplainPairRequestObject) (api.ExplainPairResponseObject, error) {
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	a, b := keyOf(q.Body.A), keyOf(q.Body.B)
	if a == b {
		return nil, refuse("unknown_record", "name two different records")
	}
	var about []*Golden
	for i, k := range []record.Key{a, b} {
		id, ok := e.OfRecord(k)
		if !ok {
			return nil, &problem{code: "unknown_record", detail: "there is no such record", places: []api.ProblemPlace{{Place: []string{"/a", "/b"}[i], Reason: "there is no such record"}}}
		}
		if len(about) == 0 || about[0].ID != id {
			about = append(about, &Golden{ID: id})
		}
	}
	why, ok, err := e.Explain(ctx, a, b)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse("unknown_record", "one of the records is gone")
	}
	out := api.ExplainPair200JSONResponse{A: q.Body.A, B: q.Body.B, SameIdentity: why.Same, MatchWeight: why.Weight.Bits(),
		Probability: why.Weight.Probability(), Reasons: make([]api.ComparisonReason, len(why.Reasons))}
	for i := range why.Reasons {
		out.Reasons[i] = reasonOfComparison(&why.Reasons[i])
	}
	return out, s.logged(ctx, "explain", about)
}
