package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sama/record"
	"sama/serve/api"
	"sama/serve/store"
)

// feedDetail is the detail of a feed event: names, never values.
type feedDetail struct {
	Other   string   `json:"other,omitempty"`
	Fields  []string `json:"fields,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
}

// event makes a feed event.
func event(kind, identity string, d feedDetail) store.FeedEvent {
	// Names can always be written.
	detail, _ := json.Marshal(d)
	return store.FeedEvent{Kind: kind, Identity: identity, Detail: detail}
}

// errErased refuses a record that a tombstone keeps out.
var errErased = errors.New("a tombstone keeps it out")

// PutRecords answers POST /v1/records.
func (s *Server) PutRecords(ctx context.Context, q api.PutRecordsRequestObject) (api.PutRecordsResponseObject, error) {
	keys := make([]record.Key, len(q.Body.Records))
	e, release, err := s.engineToWrite(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	for i, r := range q.Body.Records {
		keys[i] = record.Key{Source: r.Source, ID: r.RecordId}
		if err := mayWrite(ctx, r.Source, i, e.Sources()); err != nil {
			return nil, err
		}
	}
	w, earlier, err := s.writer(ctx, e, keys, q.Params.IdempotencyKey)
	if err != nil || earlier != nil {
		return api.PutRecords200JSONResponse(or(earlier)), err
	}
	for i, r := range q.Body.Records {
		row := store.OnlineRecord{Key: keys[i], Op: store.Put, Client: w.client}
		arrival, err := w.put(ctx, i, row, r.Fields)
		if err != nil {
			return nil, recordProblem(writeProblem(err), placeOf("/records/%d", i, "it cannot be taken")...)
		}
		if len(arrival.Ignored) > 0 {
			w.result.Records[i].Ignored = &arrival.Ignored
		}
	}
	return api.PutRecords200JSONResponse(w.result), w.finish(ctx)
}

// DeleteRecords answers POST /v1/records:delete.
func (s *Server) DeleteRecords(ctx context.Context, q api.DeleteRecordsRequestObject) (api.DeleteRecordsResponseObject, error) {
	keys := make([]record.Key, len(q.Body.Records))
	for i, r := range q.Body.Records {
		keys[i] = record.Key{Source: r.Source, ID: r.RecordId}
		if err := mayWrite(ctx, r.Source, i, nil); err != nil {
			return nil, err
		}
	}
	e, release, err := s.engineToWrite(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	w, earlier, err := s.writer(ctx, e, keys, q.Params.IdempotencyKey)
	if err != nil || earlier != nil {
		return api.DeleteRecords200JSONResponse(or(earlier)), err
	}
	for i, k := range keys {
		row := store.OnlineRecord{Key: k, Op: store.Delete, Client: w.client}
		if _, err := e.Delete(ctx, k, w.commit(ctx, i, row, nil)); err != nil {
			return nil, writeProblem(err)
		}
	}
	return api.DeleteRecords200JSONResponse(w.result), w.finish(ctx)
}

// mayWrite refuses record i of a source that is not for the client to write. One
// that no run has, and that nobody meant, would be a slip of the pen and a silo
// for ever: it takes a client that was granted it by name. sources are those of
// the run, nil where they do not matter.
func mayWrite(ctx context.Context, source string, i int, sources []string) error {
	ok, named := seenOf(ctx).client.Writes(source)
	switch {
	case !ok:
		return &problem{code: "source_not_granted", detail: "this client may not write records of that source; sama client add --sources grants it",
			places: placeOf("/records/%d/source", i, "it is not granted")}
	case sources != nil && !named && !slices.Contains(sources, source):
		return &problem{code: "unknown_source", detail: "the run knows no such source; a client that brings a new one has it granted by name, with sama client add --sources",
			places: placeOf("/records/%d/source", i, "there is no such source")}
	}
	return nil
}

// writer takes the records of one request, one after the other.
type writer struct {
	*Server
	engine  Engine
	client  string
	request *store.Request
	kept    bool // the answer
	// erasures is the revision of the tombstones that the record was held against.
	erasures int64
	result   api.RecordsResult
}

// writer begins a request of several records, or returns what it was answered
// with before.
func (s *Server) writer(ctx context.Context, e Engine, keys []record.Key, key *string) (*writer, *api.RecordsResult, error) {
	w := &writer{Server: s, engine: e, client: seenOf(ctx).client.Name, request: request(ctx, key)}
	if earlier, ok, err := answered[api.RecordsResult](ctx, s, w.request); ok || err != nil {
		return nil, &earlier, err
	}
	w.result.Records = make([]api.RecordResult, len(keys))
	for i, k := range keys {
		w.result.Records[i] = api.RecordResult{Source: k.Source, RecordId: k.ID, Outcome: "absent"}
	}
	return w, nil, nil
}

// put takes record i in. It is looked at anew if another process has erased
// somebody meanwhile.
func (w *writer) put(ctx context.Context, i int, row store.OnlineRecord, fields map[string]string) (Arrival, error) {
	for {
		arrival, err := w.engine.Put(ctx, row.Key, fields, w.admit(ctx, i, row.Key), w.commit(ctx, i, row, fields))
		var moved *store.ErasedMeanwhileError
		if errors.As(err, &moved) {
			continue
		}
		if errors.Is(err, errErased) {
			err = nil
		}
		return arrival, err
	}
}

// admit keeps record i out if it is of somebody who was erased.
func (w *writer) admit(ctx context.Context, i int, key record.Key) Admit {
	return func(identifiers []Identifier) error {
		set, revision, err := w.tombs(ctx)
		if w.erasures = revision; err == nil && erased(set, key, identifiers) {
			w.result.Records[i].Outcome = "erased"
			err = errErased
		}
		return err
	}
}

// commit makes record i last. With the last record the answer to the whole
// request is kept under its idempotency key.
func (w *writer) commit(ctx context.Context, i int, row store.OnlineRecord, fields map[string]string) Commit {
	return func(a Arrival) (int64, error) {
		result := &w.result.Records[i]
		id := a.Identity
		result.IdentityId = &id
		if len(a.Ignored) > 0 {
			result.Ignored = &a.Ignored
		}
		row.Identity, row.Founded = a.Identity, a.Founded
		if row.Op == store.Put {
			var err error
			if row.Fields, err = keptFields(fields, a.Ignored); err != nil {
				return 0, err
			}
		}
		switch {
		case row.Op == store.Delete:
			result.Outcome = "deleted"
		case a.Founded:
			result.Outcome = "founded"
		default:
			result.Outcome = "attached"
		}
		also := store.Also{Feed: eventsOf(&a, row.Op == store.Delete)}
		if row.Op == store.Put {
			also.Erasures = &w.erasures
		}
		if i == len(w.result.Records)-1 {
			also.Request = w.remember()
		}
		done, err := w.Store.PutRecords(ctx, []store.OnlineRecord{row}, also)
		var moved *store.ErasedMeanwhileError
		switch {
		case errors.As(err, &moved):
			return 0, err
		case err != nil:
			return 0, writeProblem(err)
		case done.Replayed:
			// Another request with the same key was faster.
			return 0, refuse("conflict", "the same request is being answered; send it again")
		}
		w.kept = also.Request != nil
		return done.Numbers[0], nil
	}
}

// keptFields are the fields of a record as the state keeps them. What is ignored is
// not kept: the next run would have columns of it.
func keptFields(fields map[string]string, ignored []string) ([]byte, error) {
	kept := maps.Clone(fields)
	for _, name := range ignored {
		delete(kept, name)
	}
	return json.Marshal(kept)
}

// remember makes the request keep the answer, as far as there is one.
func (w *writer) remember() *store.Request {
	r := remember(w.request, func([]int64) api.RecordsResult { return w.result })
	if r == nil {
		return nil
	}
	for k := range w.result.Records {
		if id := w.result.Records[k].IdentityId; id != nil {
			r.Identities = append(r.Identities, *id)
		}
	}
	return r
}

// finish keeps the answer where the last record changed nothing, with which it
// would have been kept.
func (w *writer) finish(ctx context.Context) error {
	if w.request == nil || w.kept {
		return nil
	}
	done, err := w.Store.PutRecords(ctx, nil, store.Also{Request: w.remember()})
	if err == nil && done.Replayed {
		err = refuse("conflict", "the same request is being answered; send it again")
	}
	return writeProblem(err)
}

// eventsOf are the events of an arrival: of its identity, then of the one that it
// left. A record that came again as it was has none.
func eventsOf(a *Arrival, deleted bool) (list []store.FeedEvent) {
	changed := func(id string, fields []string) {
		if len(fields) > 0 {
			list = append(list, event("changed", id, feedDetail{Fields: fields}))
		}
	}
	switch {
	case deleted:
		list = append(list, event(lost(a.Emptied), a.Identity, feedDetail{}))
	case a.Founded:
		list = append(list, event("created", a.Identity, feedDetail{}))
	case !a.Member:
		list = append(list, event("grown", a.Identity, feedDetail{}))
	}
	changed(a.Identity, a.Changed)
	if a.Left != "" {
		list = append(list, event(lost(a.Emptied), a.Left, feedDetail{Other: a.Identity}))
		changed(a.Left, a.LeftChanged)
	}
	return list
}

// lost is the kind of event of an identity that lost a record: retired if it was
// the last.
func lost(last bool) string {
	if last {
		return "retired"
	}
	return "shrunk"
}

// recordProblem is what a client is told of a record that cannot be read.
func recordProblem(err error, places ...api.ProblemPlace) error {
	var wrong *RecordError
	if errors.As(err, &wrong) {
		return &problem{code: "unprocessable", detail: cut(wrong.Error(), 2000), places: places}
	}
	return err
}

// placeOf names one place of a body.
func placeOf(pattern string, i int, reason string) []api.ProblemPlace {
	return []api.ProblemPlace{{Place: fmt.Sprintf(pattern, i), Reason: reason}}
}
