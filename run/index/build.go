package index

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"sama/record"

	"golang.org/x/sync/errgroup"
)

// None stands where there is no record or identity.
const None uint32 = math.MaxUint32

// Input is what an index is built from. Build changes none of it.
type Input struct {
	Table *record.Table
	// Columns are the names of the table's columns as they are served.
	Columns []string

	// Identity maps a record to the number of its identity. Every identity has a
	// record.
	Identity []uint32
	IDs      Texts // identity → its id; all ids are of one length
	// FirstSeen and LastChanged are Unix seconds by identity, 0 where unknown; nil
	// where nothing is.
	FirstSeen, LastChanged []int64

	Golden    []Golden // by column of the table; nil for none
	RuleNames []string // what Golden.Rule counts in

	Aliases []Alias // ascending by id

	// Events are what happened to identities, in the order in which the change
	// feed tells it; Kinds are the names that Event.Kind counts in. Changed are
	// the identities whose golden record differs from that of the run before.
	Kinds   []string
	Events  []Event
	Changed []Changed

	Consents *ConsentActs // nil: the records say nothing of consents

	Extra []Section // each name once
}

// Golden is one column of the golden records.
type Golden struct {
	Chosen []uint32 // identity → the record whose raw value is shown, one of the identity's; None
	Rule   []uint8  // identity → what decided; not looked at where nothing was chosen
}

// Alias is an id that names no identity now.
type Alias struct {
	ID   string
	Into uint32 // the identity that it leads to; None: it is retired
}

// Event is what happened to one identity. An identity is its number, or, where
// it is there no more, the number of identities plus that of its alias.
type Event struct {
	Kind     uint8
	Identity uint32
	Other    uint32 // as with graph.Event; None for none
}

// Changed is an identity whose golden record changed.
type Changed struct {
	Identity uint32
	Columns  []uint16 // whose values changed, ascending
}

// Section is a named list that others keep in the index. What it holds must not
// change while the index is built.
type Section struct {
	name string
	data any
}

// Uint8Section returns a section of bytes.
func Uint8Section(name string, v []uint8) Section { return Section{name, v} }

// Uint16Section returns a section of numbers.
func Uint16Section(name string, v []uint16) Section { return Section{name, v} }

// Uint32Section returns a section of numbers.
func Uint32Section(name string, v []uint32) Section { return Section{name, v} }

// Uint64Section returns a section of numbers.
func Uint64Section(name string, v []uint64) Section { return Section{name, v} }

// Int64Section returns a section of numbers.
func Int64Section(name string, v []int64) Section { return Section{name, v} }

// StringsSection returns a list of strings, which takes two sections: name.ends
// and name.text.
func StringsSection(name string, v record.Strings) Section { return Section{name, v} }

// The files of an index.
const (
	identitiesFile = "identities.idx"
	recordsFile    = "records.idx"
	valuesFile     = "values.idx"
	extraFile      = "extra.idx"
)

// Part is one file of an index that is to be written.
type Part struct {
	Name  string
	write func(*Writer)
}

// Write writes the file. Parts may be written at the same time.
func (p Part) Write(to io.Writer) error {
	w := NewWriter(to)
	p.write(w)
	return w.Close()
}

// Parts returns the files of an index, the largest first. It says everything
// that is wrong with the input.
func Parts(in *Input) ([]Part, error) {
	if err := in.validate(); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	b := newBuild(in)
	part := func(name string, write func(*Writer)) Part {
		return Part{name, func(w *Writer) {
			w.Uint64(shapeSection, b.shape)
			write(w)
		}}
	}
	return []Part{
		part(valuesFile, b.values),
		part(recordsFile, b.records),
		part(identitiesFile, b.identities),
		part(extraFile, b.extra),
	}, nil
}

// Build writes an index into the folder dir, which it makes, and syncs it to
// disk. workers is how many files are written at a time; it does not change
// them.
func Build(dir string, in *Input, workers int) ([]Written, error) {
	parts, err := Parts(in)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	written := make([]Written, len(parts))
	var g errgroup.Group
	g.SetLimit(max(1, workers))
	for i, p := range parts {
		g.Go(func() error {
			f, err := Create(filepath.Join(dir, p.Name))
			if err != nil {
				return err
			}
			p.write(f.Writer)
			written[i], err = f.Finish()
			return err
		})
	}
	return written, g.Wait()
}

// shapeSection is a section that all files of an index have alike.
const shapeSection = "index.shape"

// The numbers of that section, by their places.
const (
	shapeStamp = iota // of the keys and ids
	shapeRecords
	shapeIdentities
	shapeColumns
	shapeSources
	shapeWidth // bytes of an id
	shapeLength
)

// build is an input on its way into files.
type build struct {
	*Input
	ids   []byte // of all identities, one behind the other
	shape []uint64
}

func newBuild(in *Input) *build {
	s := make([]uint64, shapeLength)
	if in.IDs.Len() > 0 {
		s[shapeWidth] = uint64(len(in.IDs.At(0)))
	} else if len(in.Aliases) > 0 {
		s[shapeWidth] = uint64(len(in.Aliases[0].ID))
	}
	ids := make([]byte, 0, in.IDs.Len()*int(s[shapeWidth]))
	for i := range uint32(in.IDs.Len()) {
		ids = append(ids, in.IDs.At(i)...)
	}
	_, keys := in.Table.IDs.Parts()
	s[shapeStamp] = uint64(crc32.Checksum(ids, castagnoli))<<32 | uint64(crc32.Checksum(bytesOfText(keys), castagnoli))
	s[shapeRecords] = uint64(in.Table.Len())
	s[shapeIdentities] = uint64(in.IDs.Len())
	s[shapeColumns] = uint64(len(in.Table.Columns))
	s[shapeSources] = uint64(len(in.Table.Sources))
	return &build{in, ids, s}
}

// validate returns what is wrong with the input: bugs of the caller, none of
// which may reach a file.
func (in *Input) validate() error {
	if in.Table == nil || in.IDs == nil {
		return errors.New("no table or no ids")
	}
	var bad []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	n, ids := in.Table.Len(), in.IDs.Len()
	need(len(in.Identity) == n, "%d identities for %d records", len(in.Identity), n)
	need(len(in.Columns) == len(in.Table.Columns), "%d names for %d columns", len(in.Columns), len(in.Table.Columns))
	need(in.FirstSeen == nil || len(in.FirstSeen) == ids, "%d first times for %d identities", len(in.FirstSeen), ids)
	need(in.LastChanged == nil || len(in.LastChanged) == ids, "%d last times for %d identities", len(in.LastChanged), ids)
	need(in.Golden == nil || len(in.Golden) == len(in.Columns), "%d golden columns for %d columns", len(in.Golden), len(in.Columns))
	need(len(in.RuleNames) <= 256 && len(in.Kinds) <= 256, "%d rules and %d kinds of event; at most 256", len(in.RuleNames), len(in.Kinds))
	need(len(in.Columns) <= math.MaxUint16, "%d columns", len(in.Columns))
	for c, g := range in.Golden {
		need(len(g.Chosen) == ids && len(g.Rule) == ids, "golden column %d: %d values and %d rules for %d identities", c, len(g.Chosen), len(g.Rule), ids)
	}
	if err := errors.Join(bad...); err != nil {
		return err
	}
	return cmpOr(in.validateIdentities(), in.validateGolden(), in.validateChanges(), in.validateConsents())
}

func cmpOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// validateIdentities checks the ids, and that every identity has a record.
func (in *Input) validateIdentities() error {
	n, length := in.IDs.Len(), -1
	same := func(id string) error {
		if length < 0 {
			length = len(id)
		}
		if len(id) != length || length == 0 {
			return fmt.Errorf("id %q has %d bytes, others %d", id, len(id), length)
		}
		return nil
	}
	for i := range uint32(n) {
		if err := same(in.IDs.At(i)); err != nil {
			return err
		}
	}
	has := make([]bool, n)
	for r, i := range in.Identity {
		if int(i) >= n {
			return fmt.Errorf("record %d has identity %d of %d", r, i, n)
		}
		has[i] = true
	}
	if i := slices.Index(has, false); i >= 0 {
		return fmt.Errorf("identity %d has no record", i)
	}
	for k, a := range in.Aliases {
		if err := same(a.ID); err != nil {
			return fmt.Errorf("alias %d: %w", k, err)
		}
		if k > 0 && in.Aliases[k-1].ID >= a.ID || a.Into != None && int(a.Into) >= n {
			return fmt.Errorf("alias %s: out of order, or leads to identity %d of %d", a.ID, a.Into, n)
		}
	}
	return nil
}

// validateGolden checks that golden values are of records of their identities.
func (in *Input) validateGolden() error {
	for c, g := range in.Golden {
		for i, r := range g.Chosen {
			if r != None && (int(r) >= len(in.Identity) || in.Identity[r] != uint32(i) || int(g.Rule[i]) >= len(in.RuleNames)) {
				return fmt.Errorf("golden column %d, identity %d: record %d is none of its records, or rule %d none of %d", c, i, r, g.Rule[i], len(in.RuleNames))
			}
		}
	}
	return nil
}

func (in *Input) validateChanges() error {
	n := in.IDs.Len()
	for k, e := range in.Events {
		if known := n + len(in.Aliases); int(e.Kind) >= len(in.Kinds) || int(e.Identity) >= known || e.Other != None && int(e.Other) >= known {
			return fmt.Errorf("event %d: kind %d of %d, identities %d and %d of %d", k, e.Kind, len(in.Kinds), e.Identity, e.Other, known)
		}
	}
	for k, c := range in.Changed {
		if int(c.Identity) >= n || len(c.Columns) > 0 && int(c.Columns[len(c.Columns)-1]) >= len(in.Columns) {
			return fmt.Errorf("change %d: identity %d of %d, columns %d of %d", k, c.Identity, n, c.Columns, len(in.Columns))
		}
	}
	return nil
}
