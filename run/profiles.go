package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"sama/graph"
	"sama/record"
	"sama/run/columns"
	"sama/run/index"

	"golang.org/x/sync/errgroup"
)

// indexFolder holds the profile index.
const indexFolder = "index"

// ErrNoIndex says that a run has no profile index.
var ErrNoIndex = errors.New("this run has no index; run sama resolve again")

// Index opens the profile index and verifies every byte of it. A run that was
// written by a sama that made none gives an error that wraps ErrNoIndex.
func (r *Run) Index() (*index.Index, error) {
	if !r.hasIndex() {
		return nil, fmt.Errorf("%s: %w", r.Path, ErrNoIndex)
	}
	return index.OpenIndex(r.File(indexFolder))
}

func (r *Run) hasIndex() bool {
	return slices.ContainsFunc(r.Info.Files, func(f File) bool { return strings.HasPrefix(f.Name, indexFolder+"/") })
}

// writeIndex writes the profile index.
func (p *publisher) writeIndex(ctx context.Context, work string) ([]File, error) {
	in, err := p.indexInput()
	if err != nil {
		return nil, err
	}
	parts, err := index.Parts(in)
	if err != nil {
		return nil, err
	}
	files := make([]File, len(parts))
	var g errgroup.Group
	g.SetLimit(p.Workers)
	for i, part := range parts {
		g.Go(func() (err error) {
			files[i], err = p.disk.writeFile(work, indexFolder+"/"+part.Name, func(w io.Writer) error {
				return part.Write(&untilDone{ctx, w})
			})
			return err
		})
	}
	return files, g.Wait()
}

// untilDone writes until its context ends.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u *untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// indexInput is the run as the index numbers it: identities in the order of
// golden.parquet.
func (p *publisher) indexInput() (*index.Input, error) {
	table, err := p.validTable()
	if err != nil {
		return nil, err
	}
	in := &index.Input{
		Table: table, Columns: p.names, Identity: p.Identity, IDs: p.ids,
		RuleNames: p.RuleNames, Consents: p.indexConsents(), Extra: p.Sections,
	}
	for _, kind := range graph.EventKinds() {
		in.Kinds = append(in.Kinds, kind.String())
	}
	in.FirstSeen, in.LastChanged = p.times()
	for _, g := range p.Golden {
		in.Golden = append(in.Golden, index.Golden{Chosen: g.Chosen, Rule: g.Rule})
	}
	if !p.inOrder() {
		p.renumber(in)
	}
	if err := p.indexHistory(in); err != nil {
		return nil, err
	}
	in.Changed, err = p.changedGolden()
	return in, err
}

// inOrder reports whether identities are numbered as golden.parquet lists them.
func (l *layout) inOrder() bool {
	for row, id := range l.order {
		if id != uint32(row) {
			return false
		}
	}
	return true
}

// renumber numbers the identities of the input by their rows.
func (l *layout) renumber(in *index.Input) {
	rows := l.rows()
	in.Identity = slices.Clone(l.Identity)
	for r, id := range l.Identity {
		in.Identity[r] = rows[id]
	}
	for c, g := range l.Golden {
		to := &in.Golden[c]
		to.Chosen, to.Rule = make([]uint32, len(g.Chosen)), make([]uint8, len(g.Rule))
		for row, id := range l.order {
			to.Chosen[row], to.Rule[row] = g.Chosen[id], g.Rule[id]
		}
	}
}

// rows maps identities to their rows in golden.parquet.
func (l *layout) rows() []uint32 {
	rows := make([]uint32, len(l.order))
	for row, id := range l.order {
		rows[id] = uint32(row)
	}
	return rows
}

// validTable returns the table with valid text only, as the Parquet files have
// it; nearly always it is the table itself.
func (l *layout) validTable() (*record.Table, error) {
	t := *l.Table
	var bad error
	list := func(texts columns.Texts) record.Strings {
		if s, ok := texts.(*record.Strings); ok {
			return *s
		}
		var b record.StringsBuilder
		for i := range uint32(texts.Len()) {
			if _, err := b.Append(texts.At(i)); err != nil {
				bad = err
			}
		}
		return b.Build()
	}
	t.IDs = list(l.recordIDs)
	t.Columns = slices.Clone(t.Columns)
	for i, c := range t.Columns {
		valid := *c
		valid.RawText, valid.Normal = list(l.raw[i]), list(l.normal[i])
		t.Columns[i] = &valid
	}
	return &t, bad
}

// indexHistory fills in the aliases and events.
func (l *layout) indexHistory(in *index.Input) error {
	dormant := slices.Clone(l.Assigned.Dormant)
	slices.SortFunc(dormant, func(a, b graph.Dormant) int { return cmp.Compare(a.ID, b.ID) })
	refs := &references{layout: l, at: make(map[graph.IdentityID]uint32, len(dormant))}
	n := uint32(len(l.order))
	for k, d := range dormant {
		refs.at[d.ID] = n + uint32(k)
	}
	for _, d := range dormant {
		into := refs.of(d.Into)
		if d.Into != 0 && into >= n {
			return fmt.Errorf("identity %s leads to %s, which is none of this run", d.ID, d.Into)
		}
		in.Aliases = append(in.Aliases, index.Alias{ID: d.ID.String(), Into: into})
	}
	in.Events = make([]index.Event, len(l.Assigned.Events))
	for k, e := range l.Assigned.Events {
		to := index.Event{Kind: uint8(e.Kind), Identity: refs.of(e.Identity), Other: refs.of(e.Other)}
		if to.Identity == index.None || e.Other != 0 && to.Other == index.None {
			return fmt.Errorf("event of identity %s and %s: one of them is neither in this run nor an alias", e.Identity, e.Other)
		}
		in.Events[k] = to
	}
	return nil
}

// references finds what an id names: a row of golden.parquet, or the number of
// rows plus that of an alias.
type references struct {
	*layout
	at   map[graph.IdentityID]uint32
	live bool   // at has the live ids too
	next uint32 // the row after the last one: events of what is live are in order of rows
}

// of returns what an id names, None if nothing.
func (f *references) of(id graph.IdentityID) uint32 {
	if id == 0 {
		return index.None
	}
	if f.next < uint32(len(f.order)) && f.Assigned.IDs[f.order[f.next]] == id {
		f.next++
		return f.next - 1
	}
	ref, ok := f.at[id]
	if !ok && !f.live {
		for row, identity := range f.order {
			f.at[f.Assigned.IDs[identity]] = uint32(row)
		}
		f.live = true
		ref, ok = f.at[id]
	}
	switch {
	case !ok:
		return index.None
	case ref < uint32(len(f.order)):
		f.next = ref + 1
	}
	return ref
}

// changedGolden compares the golden records with those of the previous run, and
// returns the identities that both have and whose values differ.
func (p *publisher) changedGolden() ([]index.Changed, error) {
	if p.Info.Previous == "" {
		return nil, nil
	}
	before, err := Open(filepath.Join(p.dir, runsFolder, p.Info.Previous))
	if err != nil {
		return nil, err
	}
	same, err := p.rowsBefore(before)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(p.names)
	for _, c := range before.Info.Columns {
		if !slices.Contains(p.names, c.Name) {
			names = append(names, c.Name)
		}
	}
	differs := make([][]uint32, len(names)) // column → rows
	var g errgroup.Group
	g.SetLimit(p.Workers)
	for c, name := range names {
		g.Go(func() error {
			was, err := before.GoldenTexts(name)
			if err != nil {
				return fmt.Errorf("the previous run %s: %w", p.Info.Previous, err)
			}
			differs[c] = p.differing(c, was, same)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return gather(differs, len(p.names), len(same)), nil
}

// rowsBefore returns for every row of golden.parquet the row of the same id in
// the run before, NoRecord where it had none.
func (l *layout) rowsBefore(before *Run) ([]uint32, error) {
	ids, err := before.strings("golden.parquet", "identity_id")
	if err != nil {
		return nil, fmt.Errorf("the previous run %s: %w", before.Info.ID, err)
	}
	at, _ := newTextIndex(&ids, nil)
	rows := make([]uint32, len(l.ids))
	next := uint32(0) // both are in order of their first records
	for row, id := range l.ids {
		if next < uint32(ids.Len()) && ids.At(next) == id {
			rows[row] = next
		} else {
			rows[row] = at.find(0, []byte(id))
		}
		if rows[row] != NoRecord {
			next = rows[row] + 1
		}
	}
	return rows, nil
}

// differing returns the rows whose value in a column is another than it was;
// a column behind the table's is one of the run before only.
func (l *layout) differing(column int, was *GoldenTexts, before []uint32) (rows []uint32) {
	for row, b := range before {
		if b == NoRecord {
			continue
		}
		var is string
		if column < len(l.Golden) {
			is = l.raw[column].At(l.value(column, l.order[row]))
		}
		if string(was.At(b)) != is {
			rows = append(rows, uint32(row))
		}
	}
	return rows
}

// gather turns rows by column, of which the first so many are the table's, into
// columns by row.
func gather(differs [][]uint32, columns, rows int) []index.Changed {
	lists := make(map[uint32][]uint16)
	var changed []index.Changed
	for c, list := range differs {
		for _, row := range list {
			of := lists[row]
			if c < columns {
				of = append(of, uint16(c))
			}
			lists[row] = of
		}
	}
	for row := range uint32(rows) {
		if list, ok := lists[row]; ok {
			changed = append(changed, index.Changed{Identity: row, Columns: list})
		}
	}
	return changed
}
