package ingest

import (
	"sort"

	"sama/record"
)

// Raw is one source as its files say it, column by column; nothing is
// normalised yet. Its rows are those of its files in order of path, without
// the rows that were rejected; of a delta source, what [Fold] makes of them and
// of the records before.
type Raw struct {
	Source  string
	Files   []File // sorted by path; of a delta source those of the night
	Rows    int
	Columns []RawColumn // in the order in which the files first name them

	// rows maps a row to its row in the files laid end to end, where a source
	// column has split the files or a delta was folded; nil where the two are
	// the same. What lies behind all files is a row of the previous run.
	rows []uint32
}

// File is one input file of a source.
type File struct {
	Path     string
	Format   string // "parquet", "csv" or "jsonl"
	Encoding string // of a text, "" for Parquet
	Size     int64  // bytes on disk
	SHA256   string // of the bytes on disk, hexadecimal
	Rows     int    // rows taken
	Skipped  int    // rows rejected
	Repaired int    // values kept in a changed form, see Reject

	// skipped holds the data rows that were rejected, ascending.
	skipped []int64
}

// Kind is the type of a column as its file says it.
type Kind uint8

// The kinds of column. All columns of a CSV file are text. Run directories keep
// their numbers: a new kind goes to the end.
const (
	KindText Kind = iota
	KindInteger
	KindFloat // also decimals with a fraction
	KindBool  // "true" and "false"
	KindDate  // YYYY-MM-DD
	KindTime  // RFC 3339; without a zone where the file means local time
)

// RawColumn is one column of a source.
type RawColumn struct {
	Name   string
	Codes  []uint32       // row → value, 0 = null; empty text is null
	Values record.Strings // code → text, [0] = ""; texts need not be distinct
	List   bool           // values hold several texts joined by ListSeparator
	Kind   Kind
}

// ListSeparator parts the texts of a value in a list column. Where a text
// itself holds this control character, a space stands in its place.
const ListSeparator = "\x1f"

// Where returns the file and the 1-based data row of a record, for error
// texts. Data rows count the rejected ones: a CSV file's first data row is the
// one after its header, whatever lines its cells span.
func (r *Raw) Where(row int) (file string, n int64) {
	if r.rows != nil && row < len(r.rows) {
		row = int(r.rows[row])
	}
	for i := range r.Files {
		f := &r.Files[i]
		if row < f.Rows {
			return f.Path, f.dataRow(row)
		}
		row -= f.Rows
	}
	return "the records of " + r.Source + " in the previous run", int64(row) + 1
}

// dataRow returns the 1-based data row of the taken row i: the smallest n with
// n − (rejected rows up to n) = i+1.
func (f *File) dataRow(i int) int64 {
	n := int64(i) + 1
	k := sort.Search(len(f.skipped), func(k int) bool { return f.skipped[k]-int64(k) > n })
	return n + int64(k)
}
