package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"sama/run"
	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"
)

// A cursor is a place in the feed: the sequence number of the last event that
// was taken, or, inside an event that says that a run was adopted, also how many
// of the run's changes were: "12" or "12.500".

func parseCursor(text string) (store.Place, error) {
	seq, row, inside := strings.Cut(text, ".")
	var at store.Place
	var err, err2 error
	at.Seq, err = strconv.ParseInt(seq, 10, 64)
	if inside {
		at.Row, err2 = strconv.ParseInt(row, 10, 64)
	}
	if err != nil || err2 != nil {
		return at, refuse("invalid_request", "that is no cursor of this feed")
	}
	return at, nil
}

// begin returns the place that a client names, or where the feed begins if it names
// none.
func (s *Server) begin(ctx context.Context, named *string) (store.Place, error) {
	if named == nil {
		return s.oldest(ctx)
	}
	return s.placeIn(ctx, *named)
}

// placeIn returns the place that a client names by a cursor, or by "now".
func (s *Server) placeIn(ctx context.Context, text string) (store.Place, error) {
	if text != "now" {
		return parseCursor(text)
	}
	head, err := s.Store.FeedHead(ctx)
	if err != nil {
		return store.Place{}, stateProblem(err)
	}
	return store.Place{Seq: head}, nil
}

func cursorOf(at store.Place) string {
	if at.Row == 0 {
		return strconv.FormatInt(at.Seq, 10)
	}
	return fmt.Sprintf("%d.%d", at.Seq, at.Row)
}

// viewer says what of the feed one client may see.
type viewer struct {
	client *Client
	fields func(name string) bool // columns whose names it may see
	kinds  []string               // nil = all
}

// grantedFilter is a filter with the purpose that it is for.
type grantedFilter struct {
	*consent.Filter
	purpose string
}

// newViewer makes the viewer of a client for a purpose, "" being any of its
// own.
func (s *Server) newViewer(ctx context.Context, e Engine, c *Client, purpose string, kinds []string) (*viewer, error) {
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	columns := namesOf(e.Columns())
	ids := c.Purposes
	if purpose != "" {
		ids = []string{purpose}
	}
	var filters []*grantedFilter
	for _, id := range ids {
		if p, ok := all.find(id); ok {
			filters = append(filters, &grantedFilter{all.filter(c, p, s.Policy, columns), id})
		}
	}
	return &viewer{client: c, kinds: kinds, fields: func(name string) bool {
		i := slices.Index(columns, name)
		return i >= 0 && slices.ContainsFunc(filters, func(f *grantedFilter) bool {
			return f.Why(i, &consent.Decision{Purpose: f.purpose, Allowed: true}) == consent.NotWithheld
		})
	}}, nil
}

// see takes out of a change what the client may not see; false leaves nothing.
func (v *viewer) see(c *api.Change) bool {
	if v.kinds != nil && !slices.Contains(v.kinds, string(c.Kind)) {
		return false
	}
	if c.Purpose != nil && !slices.Contains(v.client.Purposes, *c.Purpose) {
		return false
	}
	if c.Fields == nil {
		return true
	}
	seen := slices.DeleteFunc(slices.Clone(*c.Fields), func(name string) bool { return !v.fields(name) })
	c.Fields = &seen
	if len(seen) == 0 {
		c.Fields = nil
	}
	// That columns changed of which it may see none is nothing to it.
	return len(seen) > 0 || c.Kind != "changed"
}

// feedPage is a part of the feed.
type feedPage struct {
	changes []api.Change
	next    store.Place
	more    bool
}

// feedFrom reads the feed from a place on, as far as limit rows go, of which the
// viewer may see fewer.
func (s *Server) feedFrom(ctx context.Context, e Engine, at store.Place, limit int, v *viewer) (*feedPage, error) {
	after := at.Seq
	if at.Row > 0 {
		after-- // the event that it is inside of
	}
	events, err := s.Store.Feed(ctx, after, limit+1)
	var gone *store.GoneError
	if errors.As(err, &gone) && gone.Restored {
		return nil, putBack(gone.Floor)
	}
	if errors.As(err, &gone) {
		return nil, refuse("cursor_gone", fmt.Sprintf("events up to %d were removed; read the profiles anew and go on from cursor %d", gone.Floor, gone.Floor))
	}
	if err != nil {
		return nil, stateProblem(err)
	}
	if at.Row > 0 && len(events) > 0 && events[0].Seq != at.Seq {
		return nil, putBack(events[0].Seq - 1)
	}
	p := &feedPage{next: at, changes: []api.Change{}}
	taken := 0
	for i := range events {
		event := &events[i]
		if taken == limit {
			p.more = true
			return p, nil
		}
		if !event.Marker() || event.Kind == store.FeedRollback {
			taken++
			p.next = store.Place{Seq: event.Seq}
			p.add(changeOf(event), p.next, v)
			continue
		}
		row := 0
		if event.Seq == at.Seq {
			row = int(at.Row)
		}
		rows, err := s.runChanges(e, event, row, limit-taken+1)
		if err != nil && p.next != at {
			// What comes before it is told; the next page says what is wrong.
			p.more = true
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		for k := range rows {
			if taken == limit {
				p.more = true
				return p, nil
			}
			taken++
			row++
			p.next = store.Place{Seq: event.Seq, Row: int64(row)}
			p.add(changeOfRun(event, &rows[k]), p.next, v)
		}
		p.next = store.Place{Seq: event.Seq}
	}
	if len(events) > 0 {
		return p, nil
	}
	return p, s.notBehind(ctx, at)
}

// notBehind refuses a place behind the end of the feed. Of an earlier state, put
// back from a backup, the reader would wait for numbers that name other events.
func (s *Server) notBehind(ctx context.Context, at store.Place) error {
	head, err := s.Store.FeedHead(ctx)
	if err != nil {
		return stateProblem(err)
	}
	if at.Seq > head {
		return refuse("cursor_gone", fmt.Sprintf("the feed ends at %d, before that cursor: the state may be one put back from a backup; read the profiles anew and go on from cursor %d", head, head))
	}
	return nil
}

// putBack refuses a place that a state had in whose place a copy was put.
func putBack(floor int64) error {
	return refuse("cursor_gone", fmt.Sprintf("the feed has nothing of that number: the state was put back from a backup made before it; read the profiles anew and go on from cursor %d", floor))
}

// oldest returns the place before the oldest change that is still there: behind
// what was swept, and behind runs that are gone for good.
func (s *Server) oldest(ctx context.Context) (store.Place, error) {
	floor, err := s.Store.FeedFloor(ctx)
	if err != nil {
		return store.Place{}, stateProblem(err)
	}
	e, release, err := s.engine()
	if err != nil {
		return store.Place{}, err
	}
	defer release()
	for {
		events, err := s.Store.Feed(ctx, floor, oldestPage)
		var gone *store.GoneError
		if errors.As(err, &gone) {
			floor = gone.Floor // it was swept meanwhile
			continue
		}
		if err != nil {
			return store.Place{}, stateProblem(err)
		}
		for i := range events {
			event := &events[i]
			if !event.Marker() || event.Kind == store.FeedRollback {
				return store.Place{Seq: floor}, nil
			}
			_, err := s.runChanges(e, event, 0, 1)
			var lost *lostRun
			if !errors.As(err, &lost) || !lost.forGood() {
				return store.Place{Seq: floor}, nil
			}
			floor = event.Seq
		}
		if len(events) < oldestPage {
			return store.Place{Seq: floor}, nil
		}
	}
}

// oldestPage is how many events are read at a time to find the oldest: the first
// will do, unless runs were removed.
const oldestPage = 16

func (p *feedPage) add(c api.Change, at store.Place, v *viewer) {
	c.Cursor = cursorOf(at)
	if v.see(&c) {
		p.changes = append(p.changes, c)
	}
}

// lostRun says that the changes of a run went with the run.
type lostRun struct {
	*problem
	event *store.FeedEvent // its marker
}

// Unwrap returns what a client is told.
func (l *lostRun) Unwrap() error { return l.problem }

// forGood reports whether the run is not there, and not just hard to read.
func (l *lostRun) forGood() bool {
	return errors.Is(l.cause, fs.ErrNotExist) || errors.Is(l.cause, run.ErrNoRun)
}

// change tells of it to those who are not answered: what they kept is to be read
// anew, as after a rollback.
func (l *lostRun) change() api.Change {
	return api.Change{Cursor: cursorOf(store.Place{Seq: l.event.Seq}), Kind: store.FeedRollback, At: l.event.At.UTC(), RunId: &l.event.RunID}
}

// runChanges returns changes of the run of a marker, the current one or an
// earlier one.
func (s *Server) runChanges(e Engine, marker *store.FeedEvent, after, limit int) ([]RunChange, error) {
	if e.RunID() == marker.RunID {
		return e.Changes(after, limit), nil
	}
	err := fs.ErrNotExist
	if s.Past != nil {
		var rows []RunChange
		if rows, err = s.Past(marker.RunID, after, limit); err == nil {
			return rows, nil
		}
	}
	detail := fmt.Sprintf("the changes of run %s are gone with it; read the profiles anew and go on from cursor %d", marker.RunID, marker.Seq)
	return nil, &lostRun{&problem{code: "cursor_gone", detail: detail, cause: err}, marker}
}

func changeOf(e *store.FeedEvent) api.Change {
	c := api.Change{Kind: api.ChangeKind(e.Kind), At: e.At.UTC()}
	if e.Identity != "" {
		c.IdentityId = &e.Identity
	}
	if e.Marker() {
		c.RunId = &e.RunID
	}
	var d feedDetail
	// The detail is the server's own, and optional.
	_ = json.Unmarshal(e.Detail, &d)
	if d.Other != "" {
		c.OtherIdentityId = &d.Other
	}
	if len(d.Fields) > 0 {
		c.Fields = &d.Fields
	}
	if d.Purpose != "" {
		c.Purpose = &d.Purpose
	}
	return c
}

func changeOfRun(e *store.FeedEvent, r *RunChange) api.Change {
	c := api.Change{Kind: api.ChangeKind(r.Kind), At: e.At.UTC(), RunId: &e.RunID}
	if r.Identity != "" {
		c.IdentityId = &r.Identity
	}
	if r.Other != "" {
		c.OtherIdentityId = &r.Other
	}
	if len(r.Fields) > 0 {
		c.Fields = &r.Fields
	}
	return c
}

// ListChanges answers GET /v1/changes.
func (s *Server) ListChanges(ctx context.Context, q api.ListChangesRequestObject) (api.ListChangesResponseObject, error) {
	named := q.Params.LastEventID
	if named == nil {
		named = q.Params.Cursor
	}
	at, err := s.begin(ctx, named)
	if err != nil {
		return nil, err
	}
	seen := seenOf(ctx)
	if seen.media == eventStream {
		return s.stream(ctx, at)
	}
	e, err := s.engineOf(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.newViewer(ctx, e, seen.client, seen.purpose, nil)
	if err != nil {
		return nil, err
	}
	limit := 100
	if q.Params.Limit != nil {
		limit = *q.Params.Limit
	}
	p, err := s.feedFrom(ctx, e, at, limit, v)
	if err != nil {
		return nil, err
	}
	if err := s.told(ctx, p.changes); err != nil {
		return nil, err
	}
	return api.ListChanges200JSONResponse{Changes: p.changes, NextCursor: cursorOf(p.next), More: p.more}, nil
}

// told writes into the access log that a client was told of changes.
func (s *Server) told(ctx context.Context, changes []api.Change) error {
	seen := seenOf(ctx)
	return s.toldTo(ctx, seen.client.Name, seen.purpose, "changes", changes)
}

// toldTo writes one row for a job that tells a client of changes, in which
// whoever they are of finds it.
func (s *Server) toldTo(ctx context.Context, client, purpose, job string, changes []api.Change) error {
	var persons, fields []string
	for i := range changes {
		for _, id := range []*string{changes[i].IdentityId, changes[i].OtherIdentityId} {
			if id != nil {
				persons = append(persons, *id)
			}
		}
		for _, name := range or(changes[i].Fields) {
			if name = logName(name); !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	if len(persons) == 0 {
		return nil
	}
	slices.Sort(fields)
	err := s.Store.AppendAccess(ctx, []store.Access{{At: s.Now(), Client: client, Purpose: purpose, Job: job, Fields: fields, What: "changes", Identities: persons}})
	if err != nil {
		return stateProblem(err)
	}
	return nil
}
