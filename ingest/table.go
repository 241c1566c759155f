package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"sama/ingest/normalize"
	"sama/record"

	"golang.org/x/sync/errgroup"
)

// BuildOptions says how [Build] works. The zero value is good.
type BuildOptions struct {
	// Workers is the number of columns worked on at once; 0 = one a core. The
	// table does not depend on it.
	Workers int
	// MaxRejects is the number of rejects kept for the report; all are counted.
	// 0 = 100,000.
	MaxRejects int
	// Erased says whose records are left out; nil: nobody's.
	Erased *Erased
	// Known says what a whole table has shown, where the sources hold only a few
	// records that come to it; nil: the sources are all there is. A column in which
	// no record has a value then still stands where it would if one had.
	Known *Known
	// Pivot is the year at which two-digit years of birth end; 0 =
	// [normalize.DefaultPivot].
	Pivot int
}

// BuildReport says what became of the values.
type BuildReport struct {
	Sources     []SourceReport
	Rejects     []Reject // rows that are not in the table, the first MaxRejects
	RejectCount int
	Generic     []GenericValue // values that name nobody in particular, by column, then most frequent first
	Consents    []ConsentColumn
}

// SourceReport counts the rows of one source.
type SourceReport struct {
	Source        string
	Rows          int      // rows read
	Records       int      // rows in the table
	NullKeys      int      // rejected: no key
	DuplicateKeys int      // rejected: key seen before in the source
	Erased        int      // left out, see Erased
	ErasedIDs     []string // of those, ascending
	Columns       []ColumnReport
	Order         []uint32 // the source's records, ascending by id → their rows in the Raw
	FamilyFirst   []FamilyFirst
}

// ColumnReport counts the values of one column of one source, in records.
type ColumnReport struct {
	Column  string
	As      Role
	Layout  string
	Values  int // not null in the file
	Null    int // null, blank or a word for "no value"
	Junk    int // placeholders
	Invalid int // not understood: carried in raw form only
}

// Erased tells the records of persons who have been erased, which are left out
// and counted. Its functions are called by one goroutine.
type Erased struct {
	Record func(source, id string) bool
	// Value tells of the normal form of a value of a field.
	Value map[record.Field]func(normal string) bool
}

// Known is what Build learns from many records and needs to read few as it
// read those.
type Known struct {
	// Given and Family return how often a word is a given and a family name; nil =
	// not known.
	Given, Family func(word string) int
	// Givens and Families are the numbers of words in all.
	Givens, Families int
	// FamilyFirst are the shares of full names that are written surname first, as
	// BuildReport had them.
	FamilyFirst []FamilyFirst
}

// FamilyFirst is the share of a column's full names that are written surname
// first.
type FamilyFirst struct {
	Source string  `json:"source"`
	Column string  `json:"column"`
	Share  float64 `json:"share"`
}

// GenericValue is a value that neither blocks nor counts as evidence.
type GenericValue struct {
	Column  string
	Value   string // normal form
	Records int
	Reason  string
}

// Build turns the sources into the table that everything later reads: rows
// without a key or with a key seen before are rejected, columns are normalised
// and taken apart or put together as the mapping says, records are sorted by
// source and id. Cost: the functions of package normalize once a distinct
// value, array look-ups once a record and column. The table depends on the
// values alone: not on the order of files, rows or columns nor on Workers.
func Build(ctx context.Context, raws []*Raw, m Mapping, opt BuildOptions) (*record.Table, *BuildReport, error) {
	if err := errors.Join(m.Validate(raws)...); err != nil {
		return nil, nil, err
	}
	b := newBuilder(raws, m, opt)
	for i := range b.sources {
		b.sources[i].takeKeys(b)
	}
	if err := b.readColumns(ctx); err != nil {
		return nil, nil, err
	}
	b.leaveOutErased()
	b.learnNames()
	if err := b.assemble(ctx); err != nil {
		return nil, nil, err
	}
	t, err := b.table(ctx)
	if err != nil {
		return nil, nil, err
	}
	b.markGeneric(t)
	return t, b.finishReport(), nil
}

// builder holds the state of one Build.
type builder struct {
	opt     BuildOptions
	sources []sourceBuilder // sorted by name
	names   *normalize.Names
	report  BuildReport
}

// sourceBuilder is one source on its way into the table.
type sourceBuilder struct {
	raw     *Raw
	key     int // index of the key column
	columns []*columnBuilder
	rows    []uint32 // kept rows in order of record id
	report  SourceReport
	feeds   []*feed // what the source gives to the table's columns
}

// columnBuilder is one mapped column of a source.
type columnBuilder struct {
	ColumnMapping
	place  namePlace
	raw    *RawColumn
	counts []uint32            // value → kept rows that hold it
	one    func(string) string // normal form of one value
	values *feed               // raw and normal forms by value; nil for compound roles
	report ColumnReport
}

func newBuilder(raws []*Raw, m Mapping, opt BuildOptions) *builder {
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.MaxRejects <= 0 {
		opt.MaxRejects = 100_000
	}
	if opt.Pivot == 0 {
		opt.Pivot = normalize.DefaultPivot
	}
	b := &builder{opt: opt}
	raws = slices.Clone(raws)
	slices.SortFunc(raws, func(x, y *Raw) int { return strings.Compare(x.Source, y.Source) })
	for _, r := range raws {
		i := slices.IndexFunc(m.Sources, func(s SourceMapping) bool { return s.Source == r.Source })
		b.sources = append(b.sources, newSourceBuilder(r, m.Sources[i]))
	}
	return b
}

func newSourceBuilder(r *Raw, m SourceMapping) sourceBuilder {
	s := sourceBuilder{raw: r, report: SourceReport{Source: r.Source, Rows: r.Rows}}
	for i := range r.Columns {
		col := &r.Columns[i]
		if col.Name == m.Key {
			s.key = i
			continue
		}
		cm := ColumnMapping{Column: col.Name, As: RoleCarried}
		if j := slices.IndexFunc(m.Columns, func(c ColumnMapping) bool { return c.Column == col.Name }); j >= 0 {
			cm = m.Columns[j]
		}
		if cm.As == RoleIgnore || cm.As == RoleKey {
			continue
		}
		s.columns = append(s.columns, &columnBuilder{ColumnMapping: cm, place: placeOf(cm.Column), raw: col, report: ColumnReport{Column: col.Name, As: cm.As}})
	}
	// The order of columns in the file has no part in the table.
	slices.SortStableFunc(s.columns, func(x, y *columnBuilder) int { return x.place.compare(y.place) })
	return s
}

// takeKeys keeps the rows that have a key of their own, in order of the key.
func (s *sourceBuilder) takeKeys(b *builder) {
	col := &s.raw.Columns[s.key]
	rows := make([]uint32, 0, s.raw.Rows)
	for row := range s.raw.Rows {
		if id := s.id(uint32(row)); id == "" {
			s.report.NullKeys++
			b.reject(s.raw, row, col.Name, "the record has no key", "")
		} else {
			rows = append(rows, uint32(row))
		}
	}
	sorted := true
	for i := 1; i < len(rows) && sorted; i++ {
		sorted = s.id(rows[i-1]) < s.id(rows[i])
	}
	if !sorted {
		slices.SortFunc(rows, func(x, y uint32) int {
			if c := strings.Compare(s.id(x), s.id(y)); c != 0 {
				return c
			}
			return int(x) - int(y)
		})
	}
	kept := rows[:0]
	for _, row := range rows {
		if n := len(kept); n > 0 && s.id(kept[n-1]) == s.id(row) {
			s.report.DuplicateKeys++
			file, at := s.raw.Where(int(kept[n-1]))
			b.reject(s.raw, int(row), col.Name, fmt.Sprintf("key already used in row %d of %s", at, file), s.id(row))
			continue
		}
		kept = append(kept, row)
	}
	s.rows = kept
	s.report.Records, s.report.Order = len(kept), kept
}

// id returns the key of a row, "" where there is none.
func (s *sourceBuilder) id(row uint32) string {
	col := &s.raw.Columns[s.key]
	return normalize.Trim(col.Values.At(col.Codes[row]))
}

func (b *builder) reject(r *Raw, row int, column, reason, value string) {
	b.report.RejectCount++
	if len(b.report.Rejects) < b.opt.MaxRejects {
		file, n := r.Where(row)
		b.report.Rejects = append(b.report.Rejects, Reject{File: file, Row: n, Column: column, Reason: reason, Value: value})
	}
}

// inParallel runs n independent steps on the workers.
func (b *builder) inParallel(ctx context.Context, n int, step func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.opt.Workers)
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return step(i)
		})
	}
	return g.Wait()
}

func (b *builder) finishReport() *BuildReport {
	for i := range b.sources {
		s := &b.sources[i]
		for _, c := range s.columns {
			s.report.Columns = append(s.report.Columns, c.report)
		}
		b.report.Sources = append(b.report.Sources, s.report)
	}
	return &b.report
}
