package serve

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"sama/match"
	"sama/record"
	"sama/run"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"
)

// Running is a run on its feet: the [Engine] that the handlers ask.
type Running struct {
	run     *run.Run
	index   *index.Index
	service *online.Service
	store   *store.Store
	parts   RunParts
	columns []Column
	served  map[string]int // name in the golden record → column

	aliases func() (map[string][]string, error) // read when first asked for

	mu   sync.RWMutex // guards what follows
	came map[record.Key]*online.Values
	last int64          // up to which all online records are here
	own  map[int64]bool // behind last, those that are
}

// RunParts are what a Running is made of. All must be set.
type RunParts struct {
	Run     *run.Run
	Index   *index.Index // given back by Close
	Service *online.Service
	Store   *store.Store
	// Known are the names that the mapping of a source knows; of the source "",
	// the names of a partial record.
	Known func(source string) []string
}

// NewRunning makes the engine of a run, to which the online records of the state
// are still to come: CatchUp.
func NewRunning(p RunParts) *Running {
	r := &Running{
		run: p.Run, index: p.Index, service: p.Service, store: p.Store, parts: p, served: make(map[string]int),
		came: make(map[record.Key]*online.Values), own: make(map[int64]bool),
		last: p.Run.Info.Online.UpTo,
	}
	for i, c := range p.Index.Columns() {
		r.columns = append(r.columns, Column{c.Name, c.Field})
		r.served[c.Name] = i
	}
	r.aliases = sync.OnceValues(r.readAliases)
	return r
}

// RunID implements [Opened].
func (r *Running) RunID() string { return r.run.Info.ID }

// Number implements [Engine].
func (r *Running) Number() int64 { return int64(r.run.Info.Number) }

// Close implements [Opened].
func (r *Running) Close() error { return r.index.Close() }

// Version implements [Engine].
func (r *Running) Version() uint64 { return r.service.Version() }

// Erased implements [Engine].
func (r *Running) Erased() int64 { return r.run.Info.Online.Erasure }

// Keys implements [Engine].
func (r *Running) Keys() iter.Seq[record.Key] {
	return func(yield func(record.Key) bool) {
		for n := range uint32(r.index.Records()) {
			if !yield(r.index.Key(n)) {
				return
			}
		}
	}
}

// Columns implements [Engine].
func (r *Running) Columns() []Column { return r.columns }

// Sources implements [Engine].
func (r *Running) Sources() []string { return r.index.Sources() }

// Identity implements [Engine].
func (r *Running) Identity(id string) (surviving string, retired, ok bool) {
	live, retired := r.service.Identity(id)
	return live, retired, live != "" || retired
}

// OfRecord implements [Engine].
func (r *Running) OfRecord(key record.Key) (string, bool) {
	id := r.service.OfRecord(key)
	return id, id != ""
}

// OfIdentifier implements [Engine].
func (r *Running) OfIdentifier(ctx context.Context, field record.Field, value string, limit int) ([]string, bool, error) {
	normal, err := r.Normal(ctx, field, value)
	if err != nil || normal == "" {
		return nil, false, err
	}
	ids, more := r.OfNormal(field, normal, limit)
	return ids, more, nil
}

// OfNormal implements [Engine].
func (r *Running) OfNormal(field record.Field, normal string, limit int) ([]string, bool) {
	var ids []string
	for c, info := range r.index.Columns() {
		if info.Field == field && info.Identifying {
			ids = append(ids, r.service.WithValue(c, normal)...)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), limit)], len(ids) > limit
}

// Normal implements [Engine].
func (r *Running) Normal(ctx context.Context, field record.Field, value string) (string, error) {
	v, err := r.service.Read(ctx, record.Key{ID: "value"}, map[string]string{field.String(): value})
	if err != nil {
		return "", ctx.Err() // what cannot be read has no normal form
	}
	for c, info := range r.index.Columns() {
		if info.Field == field && v.Normal[c] != "" {
			return v.Normal[c], nil
		}
	}
	return "", nil
}

// value returns what a record has in a column.
func (r *Running) value(k record.Key, c int) (raw, normal string, generic bool) {
	r.mu.RLock()
	v, online := r.came[k]
	r.mu.RUnlock()
	switch {
	case online && v == nil:
		return "", "", false
	case online:
		code, ok := r.index.FindNormal(c, v.Normal[c])
		return v.Raw[c], v.Normal[c], ok && r.index.Generic(c, code)
	}
	n, ok := r.index.FindRecord(k)
	if !ok {
		return "", "", false
	}
	code := r.index.Code(c, n)
	return r.index.Raw(c, n), r.index.Normal(c, code), r.index.Generic(c, code)
}

// Golden implements [Engine].
func (r *Running) Golden(id string) (*Golden, bool, error) {
	p, ok, err := r.service.Profile(id, false)
	if err != nil || !ok {
		return nil, false, err
	}
	g := &Golden{ID: p.ID, Records: p.Records, FirstSeen: unix(p.FirstSeen), LastChanged: unix(p.LastChanged),
		Values: make([]GoldenValue, len(p.Values))}
	for i := range p.Values {
		v := &p.Values[i]
		_, normal, _ := r.value(v.Record, v.Column)
		g.Values[i] = GoldenValue{Column: v.Column, Value: v.Value, Normal: normal, Record: v.Record, Rule: v.Rule}
		if len(p.Records) > 1 {
			g.Values[i].Losing = r.losing(p.Records, v.Column, normal)
		}
	}
	for c, info := range r.index.Columns() {
		if info.Identifying {
			g.Identifiers = r.identifiers(g.Identifiers, p.Records, c, info.Field)
		}
	}
	return g, true, nil
}

func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// losing returns the values of a column that are other than the one that
// survived, each once, by the first record that holds it.
func (r *Running) losing(records []record.Key, c int, survived string) []Losing {
	var out []Losing
	var forms []string
	for _, k := range records {
		raw, normal, _ := r.value(k, c)
		if raw == "" || normal == survived || slices.Contains(forms, normal) {
			continue
		}
		forms = append(forms, normal)
		out = append(out, Losing{raw, k})
	}
	return out
}

func (r *Running) identifiers(list []Identifier, records []record.Key, c int, field record.Field) []Identifier {
	for _, k := range records {
		if _, normal, generic := r.value(k, c); normal != "" && !generic {
			list = append(list, Identifier{field, normal, k})
		}
	}
	return list
}

// Records implements [Engine].
func (r *Running) Records(id string) ([]SourceRecord, error) {
	p, ok, err := r.service.Profile(id, false)
	if err != nil || !ok {
		return nil, err
	}
	out := make([]SourceRecord, len(p.Records))
	for i, k := range p.Records {
		out[i].Key = k
		for c := range r.columns {
			if raw, _, _ := r.value(k, c); raw != "" {
				out[i].Values = append(out[i].Values, SourceValue{r.columns[c].Name, raw})
			}
		}
	}
	return out, nil
}

// Aliases implements [Engine].
func (r *Running) Aliases(id string) ([]string, error) {
	all, err := r.aliases()
	return all[id], err
}

func (r *Running) readAliases() (map[string][]string, error) {
	ids, into, err := r.run.Aliases()
	if err != nil {
		return nil, err
	}
	all := make(map[string][]string)
	for i := range uint32(ids.Len()) {
		if to := into.At(i); to != "" {
			all[to] = append(all[to], ids.At(i))
		}
	}
	return all, nil
}

// Consents implements [Engine].
func (r *Running) Consents(keys []record.Key) ([]consent.Event, error) {
	return r.service.ConsentsOf(keys), nil
}

// searchFloor is the weight from which on an identity is told as a match: a
// partial record can say little, and the one who asks sees the weight.
var searchFloor = record.WeightOfBits(-5)

// Search implements [Engine].
func (r *Running) Search(ctx context.Context, fields map[string]string, limit int) ([]Hit, []string, error) {
	asked, ignored := r.known("", fields)
	if len(asked) == 0 {
		return nil, ignored, nil
	}
	found, err := r.service.Search(ctx, asked, searchFloor, limit)
	if err != nil {
		return nil, nil, r.whose(ctx, record.Key{ID: "search"}, asked, err)
	}
	hits := make([]Hit, len(found))
	for i, f := range found {
		hits[i] = Hit{f.Identity, f.Weight, r.reasons(f.Explanation)}
	}
	return hits, ignored, nil
}

// known parts the columns of a record into those that the mapping of its source
// knows and the others.
func (r *Running) known(source string, fields map[string]string) (map[string]string, []string) {
	names := r.parts.Known(source)
	asked := make(map[string]string, len(fields))
	var ignored []string
	for name, value := range fields {
		if slices.Contains(names, name) {
			asked[name] = value
		} else {
			ignored = append(ignored, name)
		}
	}
	slices.Sort(ignored)
	return asked, ignored
}

// RecordError says that a record cannot be taken as it is.
type RecordError struct{ Err error }

// Error says what is wrong with it.
func (e *RecordError) Error() string { return e.Err.Error() }

// Unwrap returns what it wraps.
func (e *RecordError) Unwrap() error { return e.Err }

// whose tells a record that cannot be read from a fault of ours.
func (r *Running) whose(ctx context.Context, key record.Key, fields map[string]string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, wrong := r.service.Read(ctx, key, fields); wrong != nil && ctx.Err() == nil {
		return &RecordError{wrong}
	}
	return err
}

// reasons are the steps of an explanation, with the columns that they look at.
func (r *Running) reasons(e *match.Explanation) []Reason {
	out := []Reason{{Comparison: "prior", Open: true, Weight: e.Prior}}
	for _, step := range e.Steps {
		out = append(out, Reason{Comparison: step.Comparison, Columns: r.columnsOf(step.Comparison), Level: step.Level, Weight: step.Weight})
	}
	if e.OtherKinds != 0 {
		out = append(out, Reason{Comparison: "other_kinds", Weight: e.OtherKinds})
	}
	return out
}

// jointFields are the fields that the joint comparisons look at.
var jointFields = map[string][]record.Field{
	"name":    {record.GivenName, record.FamilyName, record.OtherName},
	"address": {record.Street, record.HouseNumber, record.Unit, record.PostalCode, record.City, record.Region, record.Country},
}

// columnsOf names the columns that a comparison looks at; none if that is not
// known.
func (r *Running) columnsOf(comparison string) []string {
	var names []string
	for _, info := range r.index.Columns() {
		if info.Column == comparison || slices.Contains(jointFields[comparison], info.Field) {
			names = append(names, info.Name)
		}
	}
	return names
}

// maxExplained is how many records of an identity are weighed against each
// other.
const maxExplained = 20

// Edges implements [Engine]. The pairs of the first records are weighed anew.
func (r *Running) Edges(ctx context.Context, id string) ([]Edge, error) {
	p, ok, err := r.service.Profile(id, false)
	if err != nil || !ok {
		return nil, err
	}
	records := p.Records[:min(len(p.Records), maxExplained)]
	var out []Edge
	for i, a := range records {
		for _, b := range records[i+1:] {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			e, err := r.service.Explain(a, b)
			if err != nil {
				return nil, err
			}
			if e.Weight > 0 {
				out = append(out, Edge{a, b, e.Weight})
			}
		}
	}
	return out, nil
}

// Explain implements [Engine].
func (r *Running) Explain(_ context.Context, a, b record.Key) (Explanation, bool, error) {
	one, two := r.service.OfRecord(a), r.service.OfRecord(b)
	if one == "" || two == "" || a == b {
		return Explanation{}, false, nil
	}
	e, err := r.service.Explain(a, b)
	if err != nil {
		return Explanation{}, false, err
	}
	return Explanation{one == two, e.Weight, r.reasons(e)}, true, nil
}

// Changes implements [Engine].
func (r *Running) Changes(after, limit int) []RunChange { return changesOf(r.index, after, limit) }

// changesOf returns the changes of a run's index.
func changesOf(x *index.Index, after, limit int) []RunChange {
	if after < 0 || after >= x.Changes() {
		return nil
	}
	out := make([]RunChange, min(limit, x.Changes()-after))
	columns := x.Columns()
	for i := range out {
		c := x.Change(after + i)
		// Changes are told after the index is given back.
		out[i] = RunChange{Kind: c.Kind, Identity: strings.Clone(c.Identity), Other: strings.Clone(c.Other)}
		for _, n := range c.Columns {
			out[i].Fields = append(out[i].Fields, columns[n].Name)
		}
	}
	return out
}
