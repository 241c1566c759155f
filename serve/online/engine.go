package online

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"sama/graph"
	"sama/graph/golden"
	"sama/ingest/normalize"
	"sama/match"
	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
	"sama/run/index"
)

// Reader makes a table of one record of a source, by the columns as the source
// names them, in the way in which the run normalised its own. Of a source that
// the run does not know, and for a partial record (source ""), the columns are
// named by field.
type Reader interface {
	Read(ctx context.Context, key record.Key, fields map[string]string) (*record.Table, error)
}

// Settings are what a run was configured with, beside its model.
type Settings struct {
	Constraints []Constraint   `json:"constraints,omitempty"`
	Golden      golden.Options `json:"golden"`
	// Reading is what the Reader needs beside the run's configuration.
	Reading json.RawMessage `json:"reading,omitempty"`
}

// Constraint is something that an identity has once: a value of a column, or a
// record of a source.
type Constraint struct {
	Column string `json:"column,omitempty"`
	// Verified says that only values whose check characters are right count.
	Verified bool   `json:"verified,omitempty"`
	Source   string `json:"source,omitempty"`
}

// Engine is the current run, made ready to meet records. It is immutable.
type Engine struct {
	*kept
	Index   *index.Index
	model   *match.Model
	reader  Reader
	options graph.Options
}

// edgeFloor is the match weight from which on a pair takes part in clustering,
// as in the nightly run.
const edgeFloor = -3 * record.WeightUnit

// Limits of one question. A record that meets more is weighed against the first
// of them.
const (
	maxCandidates = 2000 // records that one record is weighed against
	maxSearched   = 800  // and that a partial record is
	maxHolders    = 100  // of one identifier, whom a partial record with it is weighed against
	maxIdentities = 12   // identities that take part in clustering
	maxRecords    = 200  // and their records
)

// NewEngine makes the engine of an open index. The run's model comes as JSON;
// newReader makes the reader for it, from Settings.Reading.
func NewEngine(x *index.Index, model []byte, newReader func(reading json.RawMessage, whole *record.Population) (Reader, error)) (*Engine, error) {
	e := &Engine{Index: x, model: new(match.Model)}
	if err := json.Unmarshal(model, e.model); err != nil {
		return nil, fmt.Errorf("model.json: %w", err)
	}
	if e.model.Threshold == nil {
		return nil, fmt.Errorf("model.json: it has no threshold")
	}
	e.model.Freeze()
	e.options = graph.DefaultOptions(record.WeightOfBits(*e.model.Threshold))
	e.options.Workers = 1
	var err error
	if e.kept, err = readSections(x); err != nil {
		return nil, err
	}
	if e.reader, err = newReader(e.settings.Reading, e.population); err != nil {
		return nil, err
	}
	return e, nil
}

// Read normalises a record, as the run would have.
func (e *Engine) Read(ctx context.Context, key record.Key, fields map[string]string) (*Values, error) {
	t, err := e.reader.Read(ctx, key, fields)
	if err != nil {
		return nil, err
	}
	if t.Len() != 1 {
		return nil, fmt.Errorf("the record gives %d records", t.Len())
	}
	return newValues(e.Index, t), nil
}

// keys are the keys by which a record is found.
type keys struct {
	night  []blocking.PostingKey // under the rules of the night
	search []blocking.PostingKey // under those of partial records
	values []columnValue         // of identifying columns
}

// keysOf works out by what a record is found.
func (e *Engine) keysOf(v *Values) (k keys, err error) {
	s, err := newSample(e.Index, e.population, []row{{values: v}})
	if err != nil {
		return k, err
	}
	night, err := blocking.NewFinder(e.postings, s.table)
	if err != nil {
		return k, err
	}
	search, err := blocking.NewFinder(e.search, s.table)
	if err != nil {
		return k, err
	}
	k.night, k.search = night.Keys(0), search.Keys(0)
	for c, info := range e.Index.Columns() {
		if info.Identifying && v.Normal[c] != "" {
			k.values = append(k.values, columnValue{c, v.Normal[c]})
		}
	}
	return k, nil
}

// weighed is a record with the weight of its pair with the one asked about.
type weighed struct {
	row
	weight record.Weight
}

// plan is a sample with everything that weighing its pairs needs.
type plan struct {
	*sample
	match   *match.Plan
	weights *match.Weights
	model   *match.Model
}

// plan prepares rows for weighing.
func (e *Engine) plan(rows []row) (*plan, error) {
	s, err := newSample(e.Index, e.population, rows)
	if err != nil {
		return nil, err
	}
	p, m, err := match.NewPlanFor(s.table, e.model)
	if err != nil {
		return nil, err
	}
	return &plan{s, p, p.Compile(m), m}, nil
}

// weigh weighs a record against others and returns those whose weight is at
// least floor, the highest first.
func (e *Engine) weigh(v *Values, others []row, floor record.Weight) ([]weighed, *plan, error) {
	p, err := e.plan(append([]row{{values: v}}, others...))
	if err != nil {
		return nil, nil, err
	}
	own := p.find(v.Key)
	pairs := make([]record.Pair, 0, len(others))
	for i := range uint32(len(p.rows)) {
		if i != own {
			pairs = append(pairs, record.Pair{A: min(i, own), B: max(i, own)})
		}
	}
	var out []weighed
	for i, weight := range p.match.Weigh(comparison.NewSmallScratch(), pairs, p.weights) {
		if weight >= floor {
			out = append(out, weighed{p.rows[pairs[i].A^pairs[i].B^own], weight})
		}
	}
	slices.SortStableFunc(out, func(a, b weighed) int { return cmp.Compare(b.weight, a.weight) })
	return out, p, nil
}

// cluster returns the rows that belong with one of them: those of its cluster
// when every pair is weighed and the constraints hold.
func (e *Engine) cluster(key record.Key, rows []row, decided Decisions) ([]row, error) {
	p, err := e.plan(rows)
	if err != nil {
		return nil, err
	}
	n := uint32(len(p.rows))
	pairs := make([]record.Pair, 0, n*(n-1)/2)
	for a := range n {
		for b := a + 1; b < n; b++ {
			pairs = append(pairs, record.Pair{A: a, B: b})
		}
	}
	var edges []record.Edge
	for i, weight := range p.match.Weigh(comparison.NewSmallScratch(), pairs, p.weights) {
		edges = append(edges, record.Edge{A: pairs[i].A, B: pairs[i].B, Weight: weight})
	}
	clusters, _ := graph.Correlate(int(n), edges, e.constraints(p.table, decided), e.options)
	var out []row
	for _, r := range clusters.At(clusters.Of[p.find(key)]) {
		out = append(out, p.rows[r])
	}
	return out, nil
}

// Decisions are the stewards' decisions in force.
type Decisions interface {
	// Of calls visit with every decision that names the key: the other key, and
	// whether the two are the same.
	Of(k record.Key, visit func(other record.Key, same bool))
}

// constraints makes the run's constraints and the decisions for a table.
func (e *Engine) constraints(t *record.Table, decided Decisions) graph.Constraints {
	out := graph.Constraints{Unique: Unique(e.settings.Constraints, t)}
	if decided == nil {
		return out
	}
	for i := range uint32(t.Len()) {
		decided.Of(t.Key(i), func(other record.Key, same bool) {
			k, ok := t.Find(other)
			if !ok || k <= i {
				return
			}
			if pair := (record.Pair{A: i, B: k}); same {
				out.Same = append(out.Same, pair)
			} else {
				out.NotSame = append(out.NotSame, pair)
			}
		})
	}
	return out.Reconciled(t.Len())
}

// Unique makes the constraints of a table; those on columns that it lacks are
// left out.
func Unique(list []Constraint, t *record.Table) (out []graph.Unique) {
	for _, c := range list {
		if c.Source != "" {
			out = append(out, graph.OncePerSource(t, c.Source))
		} else if column := t.Named(c.Column); column != nil {
			out = append(out, graph.OncePerValue(column, c.check(column.Field)))
		}
	}
	return out
}

// check returns what values of a field must pass to count, nil for anything.
func (c Constraint) check(f record.Field) func(string) bool {
	switch {
	case !c.Verified:
		return nil
	case f == record.BusinessID:
		return normalize.ValidYTunnus
	}
	return normalize.ValidHetu
}
