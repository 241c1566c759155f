package extract

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"sama/record"
	"sama/run/index"
	"sama/serve/consent"
	"sama/serve/online"
	"sama/serve/store"

	"golang.org/x/sync/errgroup"
)

// table is everybody, decided on.
//
// An identity has a reference: its number in the index or, behind those, in
// touched. A value has one likewise: its raw code in the column of the index or,
// behind those, its number among the values of the touched identities; 0 is null.
type table struct {
	*Extract
	ledger         *ledger
	contactColumns []int // columns of the index with identifying contact points
	came           map[record.Key]*online.Arrival
	touched        []touched // in the order of their ids
	values         []string  // of the touched

	rows   []uint32   // references of the identities in the file, in the order of their ids
	cells  [][]uint32 // place in Extract.columns → row → value
	counts counts
}

func (t *table) identities() uint32 { return uint32(t.Index.Identities()) }

// firstOnline is the reference of the first value of the touched: no column has
// more values than records, and null.
func (t *table) firstOnline() uint32 { return uint32(t.Index.Records()) + 1 }

// id returns the id of an identity.
func (t *table) id(ref uint32) string {
	if n := t.identities(); ref >= n {
		return t.touched[ref-n].id
	}
	return t.Index.IdentityID(ref)
}

// value returns a value of a column of the index.
func (t *table) value(column int, ref uint32) string {
	if n := t.firstOnline(); ref >= n {
		return t.values[ref-n]
	}
	return t.Index.RawText(column, ref)
}

// decide decides on everybody.
func (x *Extract) decide(ctx context.Context) (*table, error) {
	t := &table{Extract: x, came: make(map[record.Key]*online.Arrival)}
	for c, info := range x.Index.Columns() {
		if info.Identifying && (info.Field == record.Email || info.Field == record.Phone) {
			t.contactColumns = append(t.contactColumns, c)
		}
	}
	if err := t.takeOnline(); err != nil {
		return nil, err
	}
	var err error
	if t.ledger, err = x.readLedger(ctx, t.came); err != nil {
		return nil, err
	}
	// Erasures are read last: whoever is erased while the rest is read is out.
	dead, err := x.readErased(ctx)
	if err != nil {
		return nil, err
	}
	return t, t.decideAll(ctx, dead)
}

// takeOnline finds the identities that are other than in the run.
func (t *table) takeOnline() error {
	if t.Online == nil {
		return nil
	}
	ids := make(map[string]bool)
	for _, a := range t.Online.Arrivals {
		t.came[a.Key] = a
		ids[a.Identity] = true
		if r, ok := t.Index.FindRecord(a.Key); ok {
			ids[t.Index.IdentityID(t.Index.IdentityOf(r))] = true
		}
	}
	delete(ids, "")
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		// With the values that lost, the profile is made of the records as they are.
		p, ok, err := t.Online.Service.Profile(id, true)
		if err != nil {
			return fmt.Errorf("identity %s: %w", id, err)
		}
		if !ok {
			p = &online.Profile{ID: id} // nothing is left of it
		}
		t.touched = append(t.touched, touched{id, p, uint32(len(t.values))})
		for _, v := range p.Values {
			t.values = append(t.values, v.Value)
		}
	}
	return nil
}

// readErased returns the tombstones if there are any that the run does not know.
func (x *Extract) readErased(ctx context.Context) (*store.TombstoneSet, error) {
	later, err := x.Store.Erasures(ctx, x.Erasures)
	if err != nil || len(later) == 0 {
		return nil, err
	}
	set, err := x.Store.Tombstones(ctx)
	if err != nil || set.Len() == 0 {
		return nil, err
	}
	return set, nil
}

// order returns the references of all identities in the order of their ids.
func (t *table) order() []uint32 {
	n := t.identities()
	other := make(map[uint32]bool, len(t.touched))
	for _, p := range t.touched {
		if i, ok := t.Index.Find(p.id); ok {
			other[i] = true
		}
	}
	refs := make([]uint32, 0, int(n)+len(t.touched))
	for i := range n {
		if len(other) == 0 || !other[i] {
			refs = append(refs, i)
		}
	}
	t.sort(refs)
	if len(t.touched) == 0 {
		return refs
	}
	own := len(refs)
	for k := range t.touched {
		refs = append(refs, n+uint32(k))
	}
	return merge(refs[:own], refs[own:], func(a, b uint32) int { return strings.Compare(t.id(a), t.id(b)) })
}

// sort puts references of the index in the order of their ids: by the eight
// bytes after those that all of them begin with, and then by the ids.
func (t *table) sort(refs []uint32) {
	if len(refs) == 0 {
		return
	}
	first, sorted, before := t.id(refs[0]), true, ""
	common := len(first)
	for _, ref := range refs {
		id := t.id(ref)
		for common > 0 && !strings.HasPrefix(id, first[:common]) {
			common--
		}
		sorted = sorted && before <= id
		before = id
	}
	if sorted {
		return
	}
	type keyed struct {
		key uint64
		ref uint32
	}
	keys := make([]keyed, len(refs))
	for i, ref := range refs {
		var b [8]byte
		copy(b[:], t.id(ref)[common:])
		keys[i] = keyed{binary.BigEndian.Uint64(b[:]), ref}
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(t.id(a.ref), t.id(b.ref))
	})
	for i := range keys {
		refs[i] = keys[i].ref
	}
}

// merge merges two sorted lists into a new one.
func merge[T any](a, b []T, compare func(a, b T) int) []T {
	out := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compare(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// rangeSize is how many identities a worker decides on at a time.
const rangeSize = 1 << 12

// decided is what became of a range of identities.
type decided struct {
	rows  []uint32
	cells [][]uint32
}

// decideAll decides range by range and joins the ranges in their order.
func (t *table) decideAll(ctx context.Context, dead *store.TombstoneSet) (err error) {
	progress := t.Begin("persons", "identities")
	refs := t.order()
	defer func() { progress.End(int64(len(refs)), err) }()
	parts := make([]decided, (len(refs)+rangeSize-1)/rangeSize)
	perWorker := make([]counts, t.Workers)
	var next, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for w := range t.Workers {
		perWorker[w] = newCounts(len(t.columns))
		g.Go(func() error {
			s := t.newScratch(dead, &perWorker[w])
			for i := next.Add(1) - 1; int(i) < len(parts); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				part := refs[i*rangeSize : min((i+1)*rangeSize, int64(len(refs)))]
				parts[i] = s.decide(part)
				progress.Done(done.Add(int64(len(part))), int64(len(refs)))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	t.counts = newCounts(len(t.columns))
	for i := range perWorker {
		t.counts.add(&perWorker[i])
	}
	t.join(parts)
	return nil
}

// join puts the ranges together.
func (t *table) join(parts []decided) {
	n := 0
	for i := range parts {
		n += len(parts[i].rows)
	}
	t.rows, t.cells = make([]uint32, 0, n), make([][]uint32, len(t.columns))
	for i := range parts {
		t.rows = append(t.rows, parts[i].rows...)
	}
	for k := range t.cells {
		t.cells[k] = make([]uint32, 0, n)
		for i := range parts {
			t.cells[k] = append(t.cells[k], parts[i].cells[k]...)
		}
	}
}

func (t *table) newScratch(dead *store.TombstoneSet, c *counts) *scratch {
	s := &scratch{table: t, counts: c, silent: make(map[uint64]*outcome)}
	s.p.values = make([]uint32, len(t.columns))
	bits := 0
	for _, r := range t.routes {
		bits += len(r.columns)
	}
	s.patterns = bits <= 64
	s.imports = t.Imported != nil && slices.ContainsFunc(t.Index.ConsentColumns(), func(c index.ConsentColumn) bool { return t.concerns(&c) })
	if dead != nil {
		s.dead = dead.Matcher(store.KindRecord)
	}
	if t.Keys != nil {
		s.hashers = t.Keys.Hashers()
	}
	return s
}

// decide decides on a range of identities.
func (s *scratch) decide(refs []uint32) decided {
	d := decided{cells: make([][]uint32, len(s.columns))}
	n := s.identities()
	for _, ref := range refs {
		if ref < n {
			s.load(ref)
		} else if s.loadTouched(ref - n); len(s.touched[ref-n].profile.Records) == 0 {
			continue
		}
		s.counts.persons++
		o := s.judge()
		if s.leftOut(o) {
			continue
		}
		s.counts.rows++
		d.rows = append(d.rows, ref)
		for k, v := range s.p.values {
			if v != 0 && o.released[k] {
				s.counts.released[k]++
			} else {
				v = 0
			}
			d.cells[k] = append(d.cells[k], v)
		}
	}
	return d
}

// leftOut reports whether a person is not in the file, and counts what is
// withheld of everybody.
func (s *scratch) leftOut(o *outcome) bool {
	some, reached := false, s.reach == nil
	for k, v := range s.p.values {
		if v == 0 {
			continue
		}
		if !o.released[k] {
			s.counts.withheld[k][o.why[k]]++
			continue
		}
		some = true
		reached = reached || slices.Contains(s.reach, k)
	}
	if some && reached {
		return false
	}
	why := o.reason
	switch {
	case !o.allowed:
	case some:
		why = noContact
		// What it may have had is withheld as well.
		for k, v := range s.p.values {
			if v != 0 && o.released[k] {
				s.counts.withheld[k][noContact]++
			}
		}
	default:
		why = noValue
	}
	s.counts.leftOut[why]++
	return true
}

// outcome is what was decided on a person.
type outcome struct {
	released []bool // place in Extract.columns
	why      []why  // of those that are not
	allowed  bool   // any decision allows something
	reason   why    // of the first decision, if none does
}

// judge decides on the person that is loaded.
func (s *scratch) judge() *outcome {
	p := &s.p
	if p.erased {
		return s.refuse(whyOf(consent.ReasonErased))
	}
	silent := len(p.events) == 0 && s.patterns
	if silent {
		if o := s.silent[p.pattern]; o != nil {
			return o
		}
	}
	s.ask()
	if len(p.events) > 0 && s.restricted() {
		return s.refuse(whyOf(consent.ReasonRestricted))
	}
	o := &s.outcome
	o.allowed, o.reason = false, whyOf(s.asked[0].Reason)
	o.released, o.why = o.released[:0], o.why[:0]
	s.released = s.released[:0]
	for i := range s.asked {
		d := &s.asked[i]
		o.allowed = o.allowed || d.Allowed
		s.released, s.spare = s.released.AppendUnion(s.filter.Apply(d), s.spare), s.released
	}
	for _, c := range s.columns {
		has := s.released.Has(c)
		o.released = append(o.released, has)
		if has {
			o.why = append(o.why, 0)
		} else {
			o.why = append(o.why, s.whyNot(c))
		}
	}
	if !silent || len(s.silent) >= maxSilent {
		return o
	}
	kept := &outcome{slices.Clone(o.released), slices.Clone(o.why), o.allowed, o.reason}
	s.silent[p.pattern] = kept
	return kept
}

// maxSilent bounds how many patterns are remembered.
const maxSilent = 1 << 12

// refuse is the outcome for somebody of whom nothing may leave.
func (s *scratch) refuse(w why) *outcome {
	o := &s.outcome
	o.allowed, o.reason = false, w
	o.released, o.why = o.released[:0], o.why[:0]
	for range s.columns {
		o.released, o.why = append(o.released, false), append(o.why, w)
	}
	return o
}

// ask asks the ledger: for every route, about each contact point that the golden
// record has for it, or without one.
func (s *scratch) ask() {
	p := &s.p
	s.asked = s.asked[:0]
	next := 0
	for k := range s.routes {
		r := &s.routes[k]
		before := len(s.asked)
		for ; next < len(p.points) && p.points[next].route == k; next++ {
			at := &p.points[next]
			q := consent.Question{Channel: r.channel, Contact: contactOf(at.kind, at.normal), Column: s.Index.Columns()[at.column].Name}
			s.asked = append(s.asked, consent.Decide(s.purpose, q, p.events, s.Now))
		}
		if len(s.asked) == before {
			s.asked = append(s.asked, consent.Decide(s.purpose, consent.Question{Channel: r.channel}, p.events, s.Now))
		}
	}
}

// restricted reports whether a restriction stands that the basis of the purpose
// would pass over: it is asked for as if on a basis that does not.
func (s *scratch) restricted() bool {
	if s.purpose.Basis != consent.BasisLegalObligation && s.purpose.Basis != consent.BasisVitalInterest {
		return false
	}
	other := *s.purpose
	other.Basis = consent.BasisContract
	for i := range s.asked {
		q := s.asked[i].Question
		if consent.Decide(&other, q, s.p.events, s.Now).Reason == consent.ReasonRestricted {
			return true
		}
	}
	return false
}

// whyNot says why a column is withheld: by the decision that comes closest, and
// where it is the person's, by its reason.
func (s *scratch) whyNot(c int) why {
	best, of := consent.NotWithheld, 0
	for i := range s.asked {
		if w := s.filter.Why(c, &s.asked[i]); w > best {
			best, of = w, i
		}
	}
	if best == consent.PersonDecision {
		return whyOf(s.asked[of].Reason)
	}
	return whyWithheld(best)
}

// compareCounts orders reasons by how many they concern, the most first.
func compareCounts(a, b Count) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
}
