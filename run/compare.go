package run

import (
	"bytes"
	"fmt"
	"runtime"

	"sama/record"

	"golang.org/x/sync/errgroup"
)

// GoldenTexts is one column of golden.parquet.
type GoldenTexts struct {
	pieces []*piece
	rows   int // of every row group but the last
}

// GoldenTexts reads a text column of golden.parquet by its name there; nil if
// the run has no such column.
func (r *Run) GoldenTexts(name string) (*GoldenTexts, error) {
	known := false
	for _, c := range r.Info.Columns {
		known = known || c.Name == name
	}
	if !known {
		return nil, nil
	}
	pieces, err := r.textPieces("golden.parquet", name)
	if err != nil {
		return nil, err
	}
	g := &GoldenTexts{pieces: pieces, rows: 1}
	for i, p := range pieces {
		if i == 0 {
			g.rows = max(1, p.rows)
		}
		if i < len(pieces)-1 && p.rows != g.rows || p.rows > g.rows {
			return nil, fmt.Errorf("golden.parquet: row groups of %d and %d rows", g.rows, p.rows)
		}
	}
	return g, nil
}

// At returns the value of an identity, by its row; nil for null.
func (g *GoldenTexts) At(row uint32) []byte {
	if g == nil {
		return nil
	}
	return g.pieces[int(row)/g.rows].text(int(row) % g.rows)
}

// FieldChange is how the golden values of one field changed between two runs.
type FieldChange struct {
	Field    string
	Changed  int // identities with another value
	Appeared int // with a value that had none
	Vanished int // without one that had one
	Examples []ValueChange
}

// ValueChange is one golden value that changed; From or To is "" for none.
type ValueChange struct {
	Before, After uint32 // the identity's row in the two runs
	From, To      string
}

// CompareGolden compares the golden values of identities that two runs have in
// common: same maps an identity of the run after to its row in the run before,
// NoRecord where it had none. It returns the fields of both runs, in the order
// of the run after, each with the first of its changes as examples, and marks
// the identities of which any value changed.
func CompareGolden(before, after *Run, same []uint32, examples int) (fields []FieldChange, changed []bool, err error) {
	var names []string
	seen := make(map[string]bool)
	for _, r := range []*Run{after, before} {
		for _, c := range r.Info.Columns {
			if !seen[c.Name] {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	fields = make([]FieldChange, len(names))
	rows := make([][]uint32, len(names))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		work.Go(func() (err error) {
			fields[i].Field = name
			rows[i], err = compareField(before, after, same, examples, &fields[i])
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, nil, err
	}
	changed = make([]bool, len(same))
	for _, list := range rows {
		for _, row := range list {
			changed[row] = true
		}
	}
	return fields, changed, nil
}

// compareField compares one field and returns the identities whose value
// changed.
func compareField(before, after *Run, same []uint32, examples int, f *FieldChange) ([]uint32, error) {
	was, err := before.GoldenTexts(f.Field)
	if err != nil {
		return nil, err
	}
	is, err := after.GoldenTexts(f.Field)
	if err != nil {
		return nil, err
	}
	var rows []uint32
	for a, b := range same {
		if b == NoRecord {
			continue
		}
		from, to := was.At(b), is.At(uint32(a))
		if bytes.Equal(from, to) {
			continue
		}
		switch {
		case len(from) == 0:
			f.Appeared++
		case len(to) == 0:
			f.Vanished++
		default:
			f.Changed++
		}
		rows = append(rows, uint32(a))
		if len(f.Examples) < examples {
			f.Examples = append(f.Examples, ValueChange{b, uint32(a), string(from), string(to)})
		}
	}
	return rows, nil
}

// Aliases reads where the ids lead that are not live: into is "" for one that
// leads nowhere.
func (r *Run) Aliases() (ids, into record.Strings, err error) {
	if ids, err = r.strings("aliases.parquet", "identity_id"); err != nil {
		return ids, into, err
	}
	into, err = r.strings("aliases.parquet", "surviving_identity_id")
	if err == nil && ids.Len() != into.Len() {
		err = fmt.Errorf("aliases.parquet: columns of different length")
	}
	return ids, into, err
}

// Match returns for each identity of m the one of other with the same id,
// NoRecord where there is none.
func (m *Members) Match(other *Members) []uint32 {
	list := make([]uint32, m.Identities.Len())
	next := uint32(0) // both are in order of their first records
	for i := range list {
		id := m.Identities.At(uint32(i))
		if next < uint32(other.Identities.Len()) && other.Identities.At(next) == id {
			list[i] = next
		} else {
			list[i] = other.identities.find(0, []byte(id))
		}
		if list[i] != NoRecord {
			next = list[i] + 1
		}
	}
	return list
}

// Union numbers the records of two runs together, in order of their keys.
type Union struct {
	Before, After []uint32 // record of both → its number in each run, NoRecord if it is not there
	Both          int      // records in both
}

// Unite numbers the records of two runs together.
func Unite(before, after *Members) *Union {
	n := max(before.Len(), after.Len())
	u := &Union{Before: make([]uint32, 0, n+n/16), After: make([]uint32, 0, n+n/16)}
	b, a := 0, 0
	for b < len(before.Sources) || a < len(after.Sources) {
		switch {
		case a == len(after.Sources) || b < len(before.Sources) && before.Sources[b] < after.Sources[a]:
			u.add(before, b, after, -1)
			b++
		case b == len(before.Sources) || after.Sources[a] < before.Sources[b]:
			u.add(before, -1, after, a)
			a++
		default:
			u.add(before, b, after, a)
			b, a = b+1, a+1
		}
	}
	return u
}

// add merges the records of one source, whose number is -1 where a run does not
// have it.
func (u *Union) add(before *Members, b int, after *Members, a int) {
	var i, iEnd, j, jEnd uint32
	if b >= 0 {
		i, iEnd = before.first[b], before.first[b+1]
	}
	if a >= 0 {
		j, jEnd = after.first[a], after.first[a+1]
	}
	for i < iEnd || j < jEnd {
		order := 0
		switch {
		case i == iEnd:
			order = 1
		case j == jEnd:
			order = -1
		default:
			x, y := before.IDs.At(i), after.IDs.At(j)
			if x < y {
				order = -1
			} else if x > y {
				order = 1
			}
		}
		rec, other := i, j
		switch {
		case order < 0:
			other = NoRecord
			i++
		case order > 0:
			rec = NoRecord
			j++
		default:
			u.Both++
			i, j = i+1, j+1
		}
		u.Before, u.After = append(u.Before, rec), append(u.After, other)
	}
}
