package ingest

import "sama/record"

// Raw is one source as its files say it, column by column; nothing is
// normalised yet.
type Raw struct {
	Source  string
	Files   []File
	Rows    int
	Columns []RawColumn
}

// File is one input file of a source.
type File struct {
	Path   string
	Format string
	Size   int64
	SHA256 string // of the bytes on disk, hexadecimal
	Rows   int
}

// Kind is the type of a column as its file says it.
type Kind uint8

// The kinds of column.
const (
	KindText Kind = iota
	KindInteger
	KindFloat
	KindBool
	KindDate
	KindTime
)

// RawColumn is one column of a source.
type RawColumn struct {
	Name   string
	Codes  []uint32       // row → value, 0 = null; empty text is null
	Values record.Strings // code → text, [0] = ""; texts need not be distinct
	List   bool           // values hold several texts joined by "\x1f"
	Kind   Kind
}

// Where returns the file and the 1-based data row of a record, for error texts.
func (r *Raw) Where(row int) (file string, n int64) {
	for _, f := range r.Files {
		if row < f.Rows {
			return f.Path, int64(row) + 1
		}
		row -= f.Rows
	}
	return r.Source, int64(row) + 1
}

// Reject is a value, row or file that could not be taken.
type Reject struct {
	File   string
	Row    int64 // 1-based data row, 0 = the whole file
	Column string
	Reason string
	Value  string
}
