package serve

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sama/record"
	"sama/serve/api"
	"sama/serve/consent"
	"sama/serve/store"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Identity ids that a run could have issued.
const (
	anna   = "0001fjp96q73d"
	bertil = "0002q7x5nz8qx"
)

// smallRun is an Engine of a few identities: the one part of the server that
// tests stand in for. Every value tells what it is: SECRET- and its column.
type smallRun struct {
	id     string
	number int64

	mu         sync.Mutex
	version    uint64
	identities map[string]*Golden
	aliases    map[string]string
	retired    map[string]bool
	imported   []consent.Event
	changes    []RunChange
	closed     bool
	founded    int
	erased     int64 // the last erasure that it knew
	panics     bool
	catching   func() // called by CatchUp
}

var smallColumns = []Column{
	{"given_name", record.GivenName}, {"family_name", record.FamilyName}, {"email", record.Email}, {"email_2", record.Email},
	{"phone", record.Phone}, {"national_id", record.NationalID}, {"street", record.Street}, {"shoe, size", record.Carried},
}

func newSmallRun(id string, number int64) *smallRun {
	r := &smallRun{id: id, number: number, identities: make(map[string]*Golden), aliases: make(map[string]string), retired: make(map[string]bool)}
	r.add(anna, record.Key{Source: "crm", ID: "1"}, record.Key{Source: "web", ID: "A"})
	r.aliases["0001000000001"] = anna
	r.retired["0001000000002"] = true
	r.changes = []RunChange{{Kind: "created", Identity: anna}, {Kind: "changed", Identity: anna, Fields: []string{"email", "national_id"}}, {Kind: "merged", Identity: "0001000000001", Other: anna}}
	return r
}

// secret is the value that a column of an identity has.
func secret(id, column string) string { return "SECRET-" + id + "-" + column + "-" }

// add makes an identity whose records hold a value in every column.
func (r *smallRun) add(id string, keys ...record.Key) {
	g := &Golden{ID: id, Records: keys, FirstSeen: time.Unix(1, 0), LastChanged: time.Unix(2, 0)}
	for i, c := range smallColumns {
		v := GoldenValue{Column: i, Value: secret(id, c.Name), Normal: strings.ToLower(secret(id, c.Name)), Record: keys[0], Rule: "most_recent"}
		v.Losing = []Losing{{secret(id, c.Name) + "lost", keys[0]}}
		g.Values = append(g.Values, v)
		if c.Field == record.Email || c.Field == record.Phone || c.Field == record.NationalID {
			g.Identifiers = append(g.Identifiers, Identifier{c.Field, v.Normal, keys[0]})
		}
	}
	r.identities[id] = g
}

func (r *smallRun) RunID() string { return r.id }
func (r *smallRun) Number() int64 { return r.number }
func (r *smallRun) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		panic("closed twice")
	}
	r.closed = true
	return nil
}
func (r *smallRun) CatchUp(context.Context) error {
	if r.catching != nil {
		r.catching()
	}
	return nil
}
func (r *smallRun) Seen() int64       { return 1 << 60 }
func (r *smallRun) Version() uint64   { r.mu.Lock(); defer r.mu.Unlock(); return r.version }
func (r *smallRun) Erased() int64     { return r.erased }
func (r *smallRun) Columns() []Column { return smallColumns }
func (r *smallRun) Sources() []string { return []string{"crm", "web"} }

func (r *smallRun) Identity(id string) (string, bool, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panics {
		panic("SECRET in a panic")
	}
	if to, ok := r.aliases[id]; ok {
		id = to
	}
	if g, ok := r.identities[id]; ok {
		return id, len(g.Records) == 0, true
	}
	return "", r.retired[id], r.retired[id]
}

func (r *smallRun) OfRecord(k record.Key) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, g := range r.identities {
		if slices.Contains(g.Records, k) {
			return id, true
		}
	}
	return "", false
}

func (r *smallRun) Keys() iter.Seq[record.Key] {
	r.mu.Lock()
	defer r.mu.Unlock()
	var keys []record.Key
	for _, g := range r.identities {
		keys = append(keys, g.Records...)
	}
	return slices.Values(keys)
}

func (r *smallRun) Normal(_ context.Context, _ record.Field, value string) (string, error) {
	return strings.ToLower(strings.TrimSpace(value)), nil
}

func (r *smallRun) OfIdentifier(ctx context.Context, f record.Field, value string, limit int) ([]string, bool, error) {
	normal, _ := r.Normal(ctx, f, value)
	ids, more := r.OfNormal(f, normal, limit)
	return ids, more, nil
}

func (r *smallRun) OfNormal(f record.Field, normal string, limit int) ([]string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.identities)) {
		g := r.identities[id]
		if len(g.Records) > 0 && slices.ContainsFunc(g.Identifiers, func(i Identifier) bool { return i.Field == f && i.Normal == normal }) {
			ids = append(ids, id)
		}
	}
	return ids[:min(limit, len(ids))], len(ids) > limit
}

func (r *smallRun) Golden(id string) (*Golden, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.identities[id]
	if !ok || len(g.Records) == 0 {
		return nil, false, nil
	}
	copied := *g
	return &copied, true, nil
}

func (r *smallRun) Records(id string) ([]SourceRecord, error) {
	g, ok, _ := r.Golden(id)
	if !ok {
		return nil, nil
	}
	var out []SourceRecord
	for _, k := range g.Records {
		out = append(out, SourceRecord{k, []SourceValue{{"given_name", "=1+1"}}})
	}
	return out, nil
}

func (r *smallRun) Aliases(id string) ([]string, error) {
	var out []string
	for a, to := range r.aliases {
		if to == id {
			out = append(out, a)
		}
	}
	return out, nil
}

func (r *smallRun) Consents([]record.Key) ([]consent.Event, error) { return r.imported, nil }

func (r *smallRun) Search(_ context.Context, fields map[string]string, limit int) ([]Hit, []string, error) {
	if fields["given_name"] == "unreadable" {
		return nil, nil, &RecordError{fmt.Errorf("given_name cannot be read")}
	}
	return []Hit{{ID: anna, Weight: record.WeightOfBits(7), Reasons: []Reason{
		{Comparison: "prior", Open: true, Weight: record.WeightOfBits(1)},
		{Comparison: "given_name", Columns: []string{"given_name"}, Level: "equal", Weight: record.WeightOfBits(2)},
		{Comparison: "national_id", Columns: []string{"national_id"}, Level: "equal", Weight: record.WeightOfBits(4)}}}}, []string{}, nil
}

func (r *smallRun) Put(_ context.Context, k record.Key, fields map[string]string, admit Admit, commit Commit) (Arrival, error) {
	var identifiers []Identifier
	if e := fields["email"]; e != "" {
		identifiers = []Identifier{{record.Email, strings.ToLower(e), k}}
	}
	if err := admit(identifiers); err != nil {
		return Arrival{}, err
	}
	id, there := r.OfRecord(k)
	if !there {
		r.mu.Lock()
		r.founded++
		id = fmt.Sprintf("0009%09d", r.founded)
		r.mu.Unlock()
	}
	a := Arrival{Identity: id, Founded: !there, Ignored: []string{}}
	if _, err := commit(a); err != nil {
		return a, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version++
	if !there {
		r.add(id, k)
	}
	return a, nil
}

func (r *smallRun) Delete(_ context.Context, k record.Key, commit Commit) (Arrival, error) {
	id, there := r.OfRecord(k)
	if !there {
		return Arrival{}, nil
	}
	a := Arrival{Identity: id}
	if _, err := commit(a); err != nil {
		return a, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := *r.identities[id]
	g.Records = slices.DeleteFunc(slices.Clone(g.Records), func(x record.Key) bool { return x == k })
	r.identities[id] = &g
	r.version++
	return a, nil
}

func (r *smallRun) Edges(context.Context, string) ([]Edge, error) {
	return []Edge{{record.Key{Source: "crm", ID: "1"}, record.Key{Source: "web", ID: "A"}, record.WeightOfBits(9)}}, nil
}

func (r *smallRun) Explain(context.Context, record.Key, record.Key) (Explanation, bool, error) {
	return Explanation{true, record.WeightOfBits(9), []Reason{{Comparison: "email", Level: "equal", Weight: record.WeightOfBits(9)}}}, true, nil
}

func (r *smallRun) Changes(after, limit int) []RunChange {
	if after >= len(r.changes) {
		return nil
	}
	return r.changes[after:min(len(r.changes), after+limit)]
}

// rig is a server on a state of its own, and clients.
type rig struct {
	t      *testing.T
	server *Server
	run    *smallRun
	store  *store.Store
	log    *bytes.Buffer
	secret map[string]string
}

// clock is a clock that tests turn.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); c.t = c.t.Add(d); c.mu.Unlock() }

// newRig makes a server; change may change its options.
func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	keys, err := store.CreateKeys(filepath.Join(dir, "keys"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Keys: keys, Rate: -1, FeedPoll: 2 * time.Millisecond}
	r := &rig{t: t, run: newSmallRun("run-1", 1), log: new(bytes.Buffer), secret: make(map[string]string)}
	if change != nil {
		change(&o)
	}
	if r.store, err = store.Open(ctx, filepath.Join(dir, "state.db"), store.Options{Keys: keys, Now: o.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	o.Store = r.store
	if o.Log == nil {
		o.Log = discard
	}
	o.Run = &Live[Engine]{Current: func() string { return r.run.id }, Open: func(context.Context, string) (Engine, error) { return r.run, nil }, Log: o.Log}
	if r.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Run.Close)
	r.purpose(consent.Purpose{ID: "service", Title: "Service", Controller: "acme", Basis: consent.BasisContract, Fields: []string{"*"}, TextVersion: "1"})
	r.purpose(consent.Purpose{ID: "newsletter", Title: "News", Controller: "acme", Basis: consent.BasisConsent, Channels: []consent.Channel{"email"},
		Fields: []string{"given_name", "email"}, TextVersion: "1", DirectMarketing: true})
	r.client("all", store.Roles, []string{"service", "newsletter"}, []string{"*"})
	return r
}

func (r *rig) purpose(p consent.Purpose) {
	r.t.Helper()
	if err := p.Validate(); err != nil {
		r.t.Fatal(err)
	}
	body, err := json.Marshal(&p)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.store.PutPurpose(r.t.Context(), p.ID, body, "test"); err != nil {
		r.t.Fatal(err)
	}
	r.server.purposes.forget()
}

func (r *rig) client(name string, roles []store.Role, purposes, fields []string, sources ...string) {
	r.t.Helper()
	_, secret, err := r.store.AddClient(r.t.Context(), name, roles, purposes, fields, sources...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.secret[name] = secret
}

// call is one request.
type call struct {
	client  string // "" = without a secret
	purpose string
	method  string
	path    string
	body    string
	header  map[string]string
}

// reply is what it was answered with.
type reply struct {
	status int
	header http.Header
	body   string
}

func (c call) request(r *rig) *http.Request {
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	req := httptest.NewRequest(c.method, c.path, body)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.client != "" {
		req.Header.Set("Authorization", "Bearer "+r.secret[c.client])
	}
	if c.purpose != "" {
		req.Header.Set("Sama-Purpose", c.purpose)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	return req
}

// do sends a request and holds the answer against the contract.
func (r *rig) do(c call) reply {
	r.t.Helper()
	w := httptest.NewRecorder()
	req := c.request(r)
	r.server.ServeHTTP(w, req)
	out := reply{w.Code, w.Header(), w.Body.String()}
	r.conforms(req, &out)
	return out
}

// conforms holds an answer against the contract: its status, headers, media type
// and body must stand there.
func (r *rig) conforms(req *http.Request, out *reply) {
	r.t.Helper()
	op, vars := r.operation(req.Method, req.URL.Path)
	if op == nil {
		if out.status != 404 && out.status != 405 {
			r.t.Errorf("%s %s is not in the contract and was answered with %d", req.Method, req.URL.Path, out.status)
		}
		return
	}
	if out.header.Get("Content-Encoding") != "" {
		return
	}
	if media, _, _ := strings.Cut(out.header.Get("Content-Type"), ";"); out.status < 300 && media != "" && !slices.Contains(op.produces, media) {
		r.t.Errorf("%s was answered with %s, which the contract does not have", op.id, media)
	}
	item := r.server.contract.doc.Paths.Value(op.path)
	err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: vars,
			Route: &routers.Route{Spec: r.server.contract.doc, Path: op.path, PathItem: item, Method: op.method, Operation: op.spec}},
		Status: out.status, Header: out.header, Body: io.NopCloser(strings.NewReader(out.body)),
		// Pages, zips and streams have no schema to speak of.
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: !strings.Contains(out.header.Get("Content-Type"), "json")},
	})
	if err != nil {
		r.t.Errorf("%s %s was answered with %d, which is not what the contract says: %v\n%s", req.Method, req.URL.Path, out.status, err, cut(out.body, 2000))
	}
}

// operation finds the operation of a path by the contract alone.
func (r *rig) operation(method, path string) (*operation, map[string]string) {
	for _, op := range r.server.contract.operations {
		if op.method != method {
			continue
		}
		want, have := strings.Split(op.path, "/"), strings.Split(path, "/")
		if len(want) != len(have) {
			continue
		}
		vars, ok := make(map[string]string), true
		for i := range want {
			if strings.HasPrefix(want[i], "{") && have[i] != "" {
				vars[strings.Trim(want[i], "{}")] = have[i]
			} else if want[i] != have[i] {
				ok = false
			}
		}
		if ok {
			return op, vars
		}
	}
	return nil, nil
}

// want fails unless a request is answered with a status and, for problems, a
// code.
func (r *rig) want(c call, status int, code string) reply {
	r.t.Helper()
	out := r.do(c)
	var p api.Problem
	if out.status >= 400 {
		_ = json.Unmarshal([]byte(out.body), &p)
	}
	if out.status != status || string(p.Code) != code {
		r.t.Fatalf("%s %s %s: %d %s, want %d %s\n%s", c.method, c.path, c.body, out.status, p.Code, status, code, out.body)
	}
	return out
}

// read reads the body of an answer.
func read[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return v
}
