package index

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Check verifies that the index agrees with itself and returns everything that
// does not: every number names something that is there, keys, ids of aliases
// and lists of records ascend, identities and their records name each other,
// every text is found by itself, and the postings are the records that hold the
// value. It takes all of the index into memory.
func (x *Index) Check() error {
	checks := []func() error{x.checkIdentities, x.checkGolden, x.checkRecords, x.checkChanges, x.checkConsents}
	for c := range x.columns {
		checks = append(checks, func() error {
			if err := x.checkColumn(c); err != nil {
				return fmt.Errorf("column %s: %w", x.info[c].Name, err)
			}
			return nil
		})
	}
	bad := make([]error, len(checks))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, check := range checks {
		g.Go(func() error {
			bad[i] = check()
			return nil
		})
	}
	g.Wait()
	return errors.Join(bad...)
}

// checkIdentities: the records of the identities are all records, and each is
// where it says; every id is found by itself, and every alias leads on.
func (x *Index) checkIdentities() error {
	n := uint32(x.Identities())
	end := uint64(0)
	for i := range n {
		from, to := x.identities.get(x.identity.start, i), x.identities.get(x.identity.start, i+1)
		if from != end || to <= from || to > uint64(len(x.members)) {
			return fmt.Errorf("identity %d has records %d to %d of %d", i, from, to, len(x.members))
		}
		end = to
		for k, r := range x.members[from:to] {
			if int(r) >= x.Records() || x.IdentityOf(r) != i || k > 0 && x.members[from+uint64(k)-1] >= r {
				return fmt.Errorf("identity %d: record %d is not of it, or out of order", i, r)
			}
		}
	}
	if end != uint64(x.Records()) {
		return fmt.Errorf("%d records are of no identity", uint64(x.Records())-end)
	}
	if err := x.findID.check(&x.ids, 0, true); err != nil {
		return fmt.Errorf("identity ids: %w", err)
	}
	for k := range uint32(x.aliases.Len()) {
		id := x.aliases.At(k)
		if _, live := x.Find(id); live || k > 0 && x.aliases.At(k-1) >= id || x.into[k] != None && x.into[k] >= n {
			return fmt.Errorf("alias %s: it is an identity, out of order, or leads to identity %d of %d", id, x.into[k], n)
		}
	}
	return nil
}

// checkGolden: a golden value is that of a record of the identity, which has
// one.
func (x *Index) checkGolden() error {
	for c, g := range x.identity.golden {
		for i := range uint32(x.Identities()) {
			place, rule := x.identities.get(g.chosen, i), x.identities.get(g.rule, i)
			start, end := x.identities.get(x.identity.start, i), x.identities.get(x.identity.start, i+1)
			if start > end || end > uint64(len(x.members)) {
				return nil // checkIdentities says so
			}
			if place > end-start || place > 0 && rule >= uint64(len(x.rules)) {
				return fmt.Errorf("column %s: identity %d shows the value of record %d of %d, by rule %d of %d", x.info[c].Name, i, place, end-start, rule, len(x.rules))
			}
		}
	}
	return nil
}

// checkRecords: the keys ascend, and every record is of a source and identity.
func (x *Index) checkRecords() error {
	if !slices.IsSorted(x.sources) || x.starts[0] != 0 || !slices.IsSorted(x.starts) || int(x.starts[len(x.sources)]) != x.Records() {
		return fmt.Errorf("sources %v begin at records %v of %d", x.sources, x.starts, x.Records())
	}
	for s := range x.sources {
		last := ""
		for r := x.starts[s]; r < x.starts[s+1]; r++ {
			id := x.keys.At(r)
			if x.records.get(x.record.source, r) != uint64(s) || r > x.starts[s] && strings.Compare(last, id) >= 0 {
				return fmt.Errorf("record %d, %s of source %s: out of order", r, id, x.sources[s])
			}
			if x.IdentityOf(r) >= uint32(x.Identities()) {
				return fmt.Errorf("record %d has identity %d of %d", r, x.IdentityOf(r), x.Identities())
			}
			last = id
		}
	}
	return nil
}

// checkChanges: the changes name identities, kinds and columns that are there.
func (x *Index) checkChanges() error {
	e := &x.events
	known := uint64(x.Identities() + x.aliases.Len())
	for n := range uint32(e.number) {
		kind, id, other := e.rows.get(e.kind, n), e.rows.get(e.identity, n), e.rows.get(e.other, n)
		if kind >= uint64(len(x.kinds)) || id >= known || other > known {
			return fmt.Errorf("event %d: kind %d of %d, identities %d and %d of %d", n, kind, len(x.kinds), id, other, known)
		}
	}
	if e.starts[0] != 0 || !slices.IsSorted(e.starts) || int(e.starts[len(e.changed)]) != len(e.columns) {
		return errors.New("changed golden records: their columns are out of order")
	}
	for k, i := range e.changed {
		columns := e.columns[e.starts[k]:e.starts[k+1]]
		if int(i) >= x.Identities() || !slices.IsSorted(columns) || len(columns) > 0 && int(columns[len(columns)-1]) >= len(x.columns) {
			return fmt.Errorf("changed golden record %d: identity %d of %d, columns %v of %d", k, i, x.Identities(), columns, len(x.columns))
		}
	}
	return nil
}

// checkColumn: every code has a text, is counted right, found by its text, and
// posted.
func (x *Index) checkColumn(c int) error {
	col := &x.columns[c]
	n := col.normal.Len()
	counts := make([]uint32, n)
	for r := range uint32(x.Records()) {
		raw, code := x.records.get(col.raw, r), x.records.get(col.code, r)
		if raw >= uint64(col.rawText.Len()) || code >= uint64(n) {
			return fmt.Errorf("record %d: raw value %d of %d, normal form %d of %d", r, raw, col.rawText.Len(), code, n)
		}
		counts[code]++
	}
	if col.identifying {
		if err := x.checkPostings(col, counts); err != nil {
			return err
		}
	}
	for code, want := range counts {
		if got := x.Count(c, uint32(code)); got != want {
			return fmt.Errorf("normal form %d is counted %d times, %d records hold it", code, got, want)
		}
	}
	return col.find.check(&col.normal, 1, false)
}

// checkPostings: the records with a value are those that hold it.
func (x *Index) checkPostings(col *column, counts []uint32) error {
	end := uint32(0)
	for code := range counts {
		from, to := col.starts[code], col.starts[code+1]
		if from != end || to < from || int(to) > len(col.with) || code == 0 && to != 0 {
			return fmt.Errorf("normal form %d: its records stand from %d to %d of %d", code, from, to, len(col.with))
		}
		end = to
		for k, r := range col.with[from:to] {
			if int(r) >= x.Records() || x.records.get(col.code, r) != uint64(code) || k > 0 && col.with[int(from)+k-1] >= r {
				return fmt.Errorf("normal form %d: record %d does not hold it, or is out of order", code, r)
			}
		}
	}
	if int(end) != len(col.with) {
		return fmt.Errorf("%d records are listed with no normal form", len(col.with)-int(end))
	}
	return nil
}

// check: every text from number first on is found; where all differ, as itself.
func (x *finder) check(texts Texts, first int, differ bool) error {
	if !slices.IsSorted(x.starts) {
		return errors.New("the buckets of the search are out of order")
	}
	n := texts.Len()
	for i := range uint32(x.starts[len(x.starts)-1]) {
		if x.entries.get(x.number, i) >= uint64(n) {
			return fmt.Errorf("the search leads to text %d of %d", x.entries.get(x.number, i), n)
		}
	}
	for i := first; i < n; i++ {
		found, ok := x.find(texts, texts.At(uint32(i)))
		if !ok || int(found) > i || int(found) < i && (differ || texts.At(found) != texts.At(uint32(i))) {
			return fmt.Errorf("text %d is found as %d (%v)", i, found, ok)
		}
	}
	return nil
}
