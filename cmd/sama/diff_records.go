package main

import (
	"sama/graph/quality"
	"sama/record"
	"sama/run"
)

// compareByRecord compares the identities of two runs by their records, whatever
// their ids.
func (t *twoRuns) compareByRecord(d *runDifference, examples int) error {
	t.unite()
	q := quality.Compare(labelsOf(t.union.Before, t.members[0]), labelsOf(t.union.After, t.members[1]))
	var names [2]*namer
	for i, r := range t.runs {
		var err error
		if names[i], err = newNamer(r); err != nil {
			return err
		}
	}
	for kind, n := range q.Count {
		k := changeKind{Kind: quality.ChangeKind(kind).String(), Count: n, Examples: []changeExample{}}
		for _, change := range q.Changes {
			if int(change.Kind) == kind && len(k.Examples) < examples {
				k.Examples = append(k.Examples, t.exampleOf(change, names))
			}
		}
		d.Changes = append(d.Changes, k)
	}
	return nil
}

// labelsOf labels the records of both runs by their identities in one, 0 where
// they are not in it.
func labelsOf(records []uint32, m *run.Members) []uint32 {
	labels := make([]uint32, len(records))
	for i, rec := range records {
		if rec != run.NoRecord {
			labels[i] = m.Identity[rec] + 1
		}
	}
	return labels
}

func (t *twoRuns) exampleOf(c quality.Change, names [2]*namer) changeExample {
	x := changeExample{Before: []string{}, After: []string{}, Count: len(c.Records)}
	for _, label := range c.Before {
		x.Before = append(x.Before, t.id(0, label-1))
		if x.Name == "" {
			x.Name = names[0].of(label - 1)
		}
	}
	for i, label := range c.After {
		x.After = append(x.After, t.id(1, label-1))
		if i == 0 {
			x.Name = names[1].of(label - 1)
		}
	}
	for _, r := range c.Records[:min(len(c.Records), maxExampleRecords)] {
		x.Records = append(x.Records, t.key(int(r)).String())
	}
	return x
}

// key returns the key of a record of the union.
func (t *twoRuns) key(r int) record.Key {
	if rec := t.union.After[r]; rec != run.NoRecord {
		return t.members[1].Key(rec)
	}
	return t.members[0].Key(t.union.Before[r])
}
