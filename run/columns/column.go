package columns

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Kind is what the values of a leaf are.
type Kind uint8

// The kinds, with their Parquet and Arrow types.
const (
	Text   Kind = iota // BYTE_ARRAY (STRING); utf8
	Int                // INT64; int64
	Double             // DOUBLE; float64
	Time               // INT64 (TIMESTAMP millis, no zone), given in Unix seconds; timestamp[ms]
	Bool               // BOOLEAN, by the codes 0 and 1; bool
)

// Nulls says which code, if any, stands for null.
type Nulls uint8

// The ways to say null. Where a leaf has no codes and its numbers stand for
// themselves, ZeroIsNull makes the number 0 a null.
const (
	NoNulls    Nulls = iota
	ZeroIsNull       // code 0, as in record.Column
	LastIsNull       // code NoCode, where codes are record numbers
)

// NoCode is the null code of a LastIsNull leaf.
const NoCode uint32 = math.MaxUint32

// Texts is a list of strings by code, valid UTF-8 all of them: readers refuse a
// whole file for one byte that is not. *record.Strings is one; see Valid.
type Texts interface {
	Len() int
	At(code uint32) string
}

// List is a plain slice as Texts.
type List []string

// Len returns the number of strings.
func (l List) Len() int { return len(l) }

// At returns string i.
func (l List) At(i uint32) string { return l[i] }

// Valid returns t, or if some of its strings are not valid UTF-8, the same
// strings with the bytes at fault replaced by U+FFFD.
func Valid(t Texts) Texts {
	for i := range uint32(t.Len()) {
		if !utf8.ValidString(t.At(i)) {
			repaired := make(List, t.Len())
			for i := range repaired {
				repaired[i] = strings.ToValidUTF8(t.At(uint32(i)), "\uFFFD")
			}
			return repaired
		}
	}
	return t
}

// Leaf is one column of values.
type Leaf struct {
	Name  string
	Kind  Kind
	Codes []uint32 // entry → value; nil: entry i holds value i
	Nulls Nulls

	// The values by code; one of the three by Kind.
	Texts   Texts
	Ints    []int64
	Doubles []float64

	// Sorted says that the entries ascend bytewise and hold no null, so that
	// the first and last of a chunk are its least and greatest: readers skip
	// chunks by them. For text only.
	Sorted bool
}

// Column is one top-level column of a table: a leaf, or a list if Starts is
// set.
type Column struct {
	Leaf
	// Starts has one more element than the table has rows: row i holds entries
	// Starts[i] to Starts[i+1]−1 of every one of Elements.
	Starts []uint32
	// Elements are the leaves of a list: one for a list of values (its name is
	// not used), several for a list of structs. The column's own Name is the
	// list's.
	Elements []Leaf
}

// entries returns how many entries the leaf has.
func (l *Leaf) entries() int {
	if l.Codes != nil {
		return len(l.Codes)
	}
	return l.values()
}

// values returns how many values the leaf's codes can name.
func (l *Leaf) values() int {
	switch l.Kind {
	case Text:
		if l.Texts == nil {
			return 0
		}
		return l.Texts.Len()
	case Double:
		return len(l.Doubles)
	default:
		return len(l.Ints)
	}
}

// null reports whether value v is null. Only for leaves with Nulls set.
func (l *Leaf) null(v uint32) bool {
	switch {
	case l.Nulls == LastIsNull:
		return v == NoCode
	case l.Codes != nil || l.Kind == Text:
		return v == 0
	case l.Kind == Double:
		return l.Doubles[v] == 0
	}
	return l.Ints[v] == 0
}

// check verifies that the columns are as long as the table; codes out of range
// are a bug of the caller and panic where they are used.
func check(rows int, cols []Column) error {
	names := make(map[string]bool, len(cols))
	for i := range cols {
		c := &cols[i]
		if names[c.Name] || c.Name == "" {
			return fmt.Errorf("column %d: the name %q is empty or used twice", i, c.Name)
		}
		names[c.Name] = true
		if c.Starts == nil {
			if n := c.entries(); n != rows {
				return fmt.Errorf("column %s: %d entries for %d rows", c.Name, n, rows)
			}
			continue
		}
		if len(c.Starts) != rows+1 || len(c.Elements) == 0 {
			return fmt.Errorf("column %s: %d starts and %d elements for a list of %d rows", c.Name, len(c.Starts), len(c.Elements), rows)
		}
		for j := range c.Elements {
			if e := &c.Elements[j]; e.entries() != int(c.Starts[rows]) {
				return fmt.Errorf("column %s: element %d has %d entries, the rows %d", c.Name, j, e.entries(), c.Starts[rows])
			}
		}
	}
	return nil
}
