package main

import (
	"sama/graph"
	"sama/graph/quality"
	"sama/run"

	"golang.org/x/sync/errgroup"
)

// compareByID compares the identities of two runs of one output directory.
func (t *twoRuns) compareByID(d *runDifference, examples int) error {
	was := t.members[1].Match(t.members[0])
	var k *quality.Kept
	var q *quality.KeptDifference
	var fields []run.FieldChange
	var changed []bool
	var both errgroup.Group
	both.Go(func() (err error) {
		fields, changed, err = run.CompareGolden(t.runs[0], t.runs[1], was, examples)
		return err
	})
	both.Go(func() (err error) {
		if k, err = t.kept(was); err == nil {
			q = quality.CompareKept(k)
		}
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	d.Golden = &goldenBetween{}
	for _, c := range changed {
		if c {
			d.Golden.Changed++
		}
	}
	x := &idExamples{twoRuns: t, kept: k, diff: q, most: examples}
	if err := x.prepare(); err != nil {
		return err
	}
	d.Changes = append(d.Changes, changeKind{Kind: "unchanged", Count: q.Unchanged, Examples: []changeExample{}})
	for _, kind := range graph.EventKinds() {
		d.Changes = append(d.Changes, changeKind{Kind: kind.String(), Count: q.Count[kind], Examples: x.of(kind)})
	}
	for _, m := range q.Movements[:min(len(q.Movements), examples)] {
		d.Movements = append(d.Movements, movement{x.id(0, m.From), x.id(1, m.To), x.names[1].of(m.To), m.Records})
	}
	for _, f := range fields {
		c := fieldChange{f.Field, f.Changed, f.Appeared, f.Vanished, []valueExample{}}
		for _, v := range f.Examples {
			c.Examples = append(c.Examples, valueExample{x.id(1, v.After), x.names[1].of(v.After), v.From, v.To})
		}
		d.Golden.Fields = append(d.Golden.Fields, c)
	}
	return nil
}

// kept says how the records of the two runs are in identities; was maps each
// identity after to the one before with the same id.
func (t *twoRuns) kept(was []uint32) (*quality.Kept, error) {
	before, after := t.members[0], t.members[1]
	t.unite()
	k := &quality.Kept{
		Before: identityOf(t.union.Before, before), After: identityOf(t.union.After, after),
		Was: was, Dormant: make([]bool, after.Identities.Len()),
		Into: make([]uint32, before.Identities.Len()),
	}
	ids, _, err := t.runs[0].Aliases()
	if err != nil {
		return nil, err
	}
	for i := range uint32(ids.Len()) {
		if a, ok := after.FindIdentity(ids.At(i)); ok {
			k.Dormant[a] = true
		}
	}
	for b := range k.Into {
		k.Into[b] = graph.None
	}
	ids, into, err := t.runs[1].Aliases()
	if err != nil {
		return nil, err
	}
	for i := range uint32(ids.Len()) {
		if b, ok := before.FindIdentity(ids.At(i)); ok {
			if a, ok := after.FindIdentity(into.At(i)); ok {
				k.Into[b] = a
			}
		}
	}
	return k, nil
}

// identityOf maps the records of both runs to their identities in one.
func identityOf(records []uint32, m *run.Members) []uint32 {
	list := make([]uint32, len(records))
	for i, rec := range records {
		list[i] = graph.None
		if rec != run.NoRecord {
			list[i] = m.Identity[rec]
		}
	}
	return list
}

// idExamples picks the first identities of each kind of change.
type idExamples struct {
	*twoRuns
	kept  *quality.Kept
	diff  *quality.KeptDifference
	most  int
	names [2]*namer

	picked  [graph.Restored + 1][]uint32         // identities after, or before of those that ended
	records [graph.Restored + 1]map[uint32][]int // by picked identity, records of the union
}

// prepare picks, and collects the records concerned in one pass.
func (x *idExamples) prepare() error {
	if x.most == 0 {
		return nil
	}
	for i, r := range x.runs {
		var err error
		if x.names[i], err = newNamer(r); err != nil {
			return err
		}
	}
	for kind := range x.records {
		x.records[kind] = make(map[uint32][]int)
	}
	pick := func(kind graph.EventKind, identity uint32) {
		if len(x.picked[kind]) < x.most {
			x.picked[kind] = append(x.picked[kind], identity)
			x.records[kind][identity] = nil
		}
	}
	for a, kinds := range x.diff.Kinds {
		for kind := graph.EventKind(0); kinds>>kind != 0; kind++ {
			if kinds&(1<<kind) != 0 {
				pick(kind, uint32(a))
			}
		}
	}
	for b, a := range x.diff.Ended {
		switch {
		case a == graph.None:
			pick(graph.Retired, uint32(b))
		case x.kept.Was[a] != uint32(b):
			pick(graph.Merged, uint32(b))
		}
	}
	x.collect()
	return nil
}

// collect lists the records of the picked identities: those that came or went of
// one that is grown or shrunk, else all.
func (x *idExamples) collect() {
	note := func(kind graph.EventKind, identity uint32, record int) {
		if list, ok := x.records[kind][identity]; ok {
			x.records[kind][identity] = append(list, record)
		}
	}
	for r, b := range x.kept.Before {
		a := x.kept.After[r]
		if a != graph.None {
			if kinds := x.diff.Kinds[a]; kinds != 0 {
				for _, kind := range []graph.EventKind{graph.Created, graph.Split, graph.Restored} {
					if kinds&(1<<kind) != 0 {
						note(kind, a, r)
					}
				}
				if kinds&(1<<graph.Grown) != 0 && x.kept.Was[a] != b {
					note(graph.Grown, a, r)
				}
			}
		}
		if b == graph.None {
			continue
		}
		switch now := x.diff.Ended[b]; {
		case now == graph.None:
			note(graph.Retired, b, r)
		case x.kept.Was[now] != b:
			note(graph.Merged, b, r)
		case x.diff.Kinds[now]&(1<<graph.Shrunk) != 0 && now != a:
			note(graph.Shrunk, now, r)
		}
	}
}

// of returns the examples of a kind.
func (x *idExamples) of(kind graph.EventKind) []changeExample {
	list := []changeExample{}
	for _, identity := range x.picked[kind] {
		e := changeExample{Before: []string{}, After: []string{}}
		switch kind {
		case graph.Merged, graph.Retired:
			e.Before = append(e.Before, x.id(0, identity))
			e.Name = x.names[0].of(identity)
			if to := x.diff.Ended[identity]; to != graph.None {
				e.After = append(e.After, x.id(1, to))
			}
		default:
			e.After = append(e.After, x.id(1, identity))
			e.Name = x.names[1].of(identity)
			if was := x.kept.Was[identity]; was != graph.None {
				e.Before = append(e.Before, x.id(0, was))
			} else if from := x.diff.From[identity]; from != graph.None {
				e.Before = append(e.Before, x.id(0, from))
			}
		}
		records := x.records[kind][identity]
		e.Count = len(records)
		for _, r := range records[:min(len(records), maxExampleRecords)] {
			e.Records = append(e.Records, x.key(r).String())
		}
		list = append(list, e)
	}
	return list
}

// id returns the id of an identity of the run before, 0, or after, 1.
func (t *twoRuns) id(side int, identity uint32) string {
	return t.members[side].Identities.At(identity)
}
