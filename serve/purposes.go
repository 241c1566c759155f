package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"
)

// purposesFresh is how long purposes are trusted without a look at the state.
const purposesFresh = 250 * time.Millisecond

// purposes are the newest versions of all purposes, and the filters that were
// compiled of them.
type purposes struct {
	store  *store.Store
	policy *consent.FieldPolicy
	now    func() time.Time

	reading sync.Mutex // held by the one who reads them anew
	current atomic.Pointer[readPurposes]
}

// readPurposes are purposes as they were read once.
type readPurposes struct {
	revision int64
	seen     time.Time
	list     []purpose // in order of ids

	mu      sync.Mutex // guards filters
	filters map[filterKey]*consent.Filter
}

// purpose is a purpose with its version.
type purpose struct {
	consent.Purpose
	version int64
}

// filterKey names a filter. A client that is changed is another *Client.
type filterKey struct {
	client  *Client
	purpose string
	columns string
}

// maxFilters bounds the compiled filters.
const maxFilters = 10_000

// now returns the purposes as they are.
func (p *purposes) get(ctx context.Context) (*readPurposes, error) {
	now := p.now()
	fresh := func(r *readPurposes) bool {
		age := time.Duration(0)
		if r != nil {
			age = now.Sub(r.seen)
		}
		return r != nil && 0 <= age && age < purposesFresh
	}
	if r := p.current.Load(); fresh(r) {
		return r, nil
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	old := p.current.Load()
	if fresh(old) {
		return old, nil
	}
	revision, err := p.store.Revision(ctx)
	if err != nil {
		return nil, stateProblem(err)
	}
	r := &readPurposes{revision: revision.Purposes, seen: now, filters: make(map[filterKey]*consent.Filter)}
	if old != nil && old.revision == revision.Purposes {
		r.list = old.list
		old.mu.Lock()
		r.filters = old.filters
		old.filters = make(map[filterKey]*consent.Filter)
		old.mu.Unlock()
	} else if r.list, err = readAll(ctx, p.store); err != nil {
		return nil, err
	}
	p.current.Store(r)
	return r, nil
}

// forget makes the next get look.
func (p *purposes) forget() { p.current.Store(nil) }

func readAll(ctx context.Context, s *store.Store) ([]purpose, error) {
	rows, err := s.Purposes(ctx)
	if err != nil {
		return nil, stateProblem(err)
	}
	list := make([]purpose, len(rows))
	for i := range rows {
		if list[i], err = purposeOf(&rows[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func purposeOf(row *store.Purpose) (purpose, error) {
	p := purpose{version: row.Version}
	if err := json.Unmarshal(row.Body, &p.Purpose); err != nil {
		return p, fmt.Errorf("purpose %s version %d: %w", row.ID, row.Version, err)
	}
	p.ID = row.ID
	return p, nil
}

// find returns a purpose.
func (r *readPurposes) find(id string) (*purpose, bool) {
	i, ok := slices.BinarySearchFunc(r.list, id, func(p purpose, id string) int { return strings.Compare(p.ID, id) })
	if !ok {
		return nil, false
	}
	return &r.list[i], true
}

// filter returns what a client may have for a purpose, compiled for columns.
func (r *readPurposes) filter(c *Client, p *purpose, policy *consent.FieldPolicy, columns []string) *consent.Filter {
	key := filterKey{c, p.ID, strings.Join(columns, "\x00")}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.filters[key]; ok {
		return f
	}
	if len(r.filters) >= maxFilters {
		clear(r.filters)
	}
	f := consent.Compile(&consent.Grant{Purposes: c.Purposes, Fields: c.Fields}, &p.Purpose, policy, columns)
	r.filters[key] = f
	return f
}

// ListPurposes answers GET /v1/purposes.
func (s *Server) ListPurposes(ctx context.Context, _ api.ListPurposesRequestObject) (api.ListPurposesResponseObject, error) {
	all, err := s.purposes.get(ctx)
	if err != nil {
		return nil, err
	}
	out := api.ListPurposes200JSONResponse{Purposes: make([]api.Purpose, len(all.list))}
	for i := range all.list {
		out.Purposes[i] = all.list[i].api()
	}
	return out, nil
}

// GetPurpose answers GET /v1/purposes/{purpose_id}.
func (s *Server) GetPurpose(ctx context.Context, r api.GetPurposeRequestObject) (api.GetPurposeResponseObject, error) {
	row, err := s.Store.Purpose(ctx, r.PurposeId, 0)
	if err != nil {
		return nil, noPurpose(err)
	}
	p, err := purposeOf(&row)
	if err != nil {
		return nil, err
	}
	return api.GetPurpose200JSONResponse{Body: p.api(), Headers: api.GetPurpose200ResponseHeaders{ETag: p.tag()}}, nil
}

// PutPurpose answers PUT /v1/purposes/{purpose_id}.
func (s *Server) PutPurpose(ctx context.Context, r api.PutPurposeRequestObject) (api.PutPurposeResponseObject, error) {
	p := consent.Purpose{
		ID: r.PurposeId, Title: r.Body.Title, Controller: r.Body.Controller, Fields: r.Body.Fields, TextVersion: r.Body.TextVersion,
		DirectMarketing: or(r.Body.DirectMarketing), RetentionDays: or(r.Body.RetentionDays),
	}
	var err error
	if p.Basis, err = consent.ParseBasis(string(r.Body.Basis)); err != nil {
		return nil, refuse("unprocessable", err.Error())
	}
	for _, c := range or(r.Body.Channels) {
		p.Channels = append(p.Channels, consent.Channel(c))
	}
	if err := p.Validate(); err != nil {
		return nil, refuse("unprocessable", err.Error())
	}
	if r.Params.IfMatch != nil {
		row, err := s.Store.Purpose(ctx, p.ID, 0)
		var none *store.NoPurposeError
		if err != nil && !errors.As(err, &none) {
			return nil, stateProblem(err)
		}
		if now := (&purpose{version: row.Version}).tag(); *r.Params.IfMatch != *now {
			return nil, refuse("precondition_failed", "the purpose has another version by now, or none; read it again")
		}
	}
	body, err := json.Marshal(&p)
	if err != nil {
		return nil, err
	}
	row, err := s.Store.PutPurpose(ctx, p.ID, body, seenOf(ctx).client.Name)
	if err != nil {
		return nil, stateProblem(err)
	}
	s.purposes.forget()
	now := purpose{p, row.Version}
	return api.PutPurpose200JSONResponse{Body: now.api(), Headers: api.PutPurpose200ResponseHeaders{ETag: now.tag()}}, nil
}

// tag is the entity tag of a version.
func (p *purpose) tag() *api.EntityTag {
	t := fmt.Sprintf(`"%d"`, p.version)
	return &t
}

// api is the purpose as the contract has it.
func (p *purpose) api() api.Purpose {
	out := api.Purpose{
		PurposeId: p.ID, Version: int(p.version), Title: p.Title, Controller: p.Controller, Basis: api.LawfulBasis(p.Basis.String()),
		Channels: []api.Channel{}, Fields: append([]string{}, p.Fields...), DirectMarketing: p.DirectMarketing, RetentionDays: p.RetentionDays,
	}
	for _, c := range p.Channels {
		out.Channels = append(out.Channels, string(c))
	}
	if p.TextVersion != "" {
		out.TextVersion = &p.TextVersion
	}
	return out
}

// noPurpose is what a client is told of a purpose that is not there.
func noPurpose(err error) error {
	var none *store.NoPurposeError
	if errors.As(err, &none) {
		return refuse("unknown_purpose", none.Error())
	}
	return stateProblem(err)
}

// or returns what a pointer points to, or the zero value.
func or[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
