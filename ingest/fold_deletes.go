package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sama/ingest/normalize"
)

// Deletes says which records of a delta are gone.
type Deletes struct {
	// Column is a column of the delta whose value marks a deleted record; "" =
	// none. It is not part of what Fold returns.
	Column string
	// Values are the values of Column that mean deleted, compared without regard
	// to case and surrounding space; none = true, t, yes, y, 1, d, delete,
	// deleted. Any other value does not, see FoldReport.OtherMarks.
	Values []string
	// Keys is a file of keys to delete, or nil. They stand in its column named
	// like the key, or else in its only column, whose name must then not be the
	// key of a record itself: that file has no header line, and its first key
	// would stay. It is applied after the rows of the delta.
	Keys *Raw
}

// MarkCount is how many rows of a delta have a value in the delete column that
// does not mean deleted. Blank values are not counted, and without
// Deletes.Values neither are false, f, no, n and 0.
type MarkCount struct {
	Value string // without surrounding space
	Rows  int
}

// maxMarkCounts is how many values FoldReport.OtherMarks lists: the most frequent
// ones, of equally frequent ones those that sort first.
const maxMarkCounts = 10

// deletedWords are the values of a delete column that mean deleted.
var deletedWords = []string{"true", "t", "yes", "y", "1", "d", "delete", "deleted"}

// keptWords are the values that say of a record that it is not deleted.
var keptWords = []string{"false", "f", "no", "n", "0"}

// marks returns by code whether a value of the delete column means deleted.
func (f *folder) marks(c *RawColumn) []bool {
	words := f.deletes.Values
	if len(words) == 0 {
		words = deletedWords
	}
	marks := make([]bool, c.Values.Len())
	for code := 1; code < len(marks); code++ {
		marks[code] = isWord(words, normalize.Trim(c.Values.At(uint32(code))))
	}
	return marks
}

// isWord reports whether a text is one of the words, whatever their case.
func isWord(words []string, text string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(normalize.Trim(w), text) })
}

// otherMarks counts the values of the delta's delete column that do not mean
// deleted.
func (f *folder) otherMarks(c *RawColumn) []MarkCount {
	rows := make([]int, c.Values.Len())
	for _, code := range c.Codes {
		rows[code]++
	}
	at := make(map[string]int) // texts need not be distinct
	var counts []MarkCount
	for code, n := range rows {
		text := normalize.Trim(c.Values.At(uint32(code)))
		if n == 0 || text == "" || f.deltaMark[code] || len(f.deletes.Values) == 0 && isWord(keptWords, text) {
			continue
		}
		i, ok := at[text]
		if !ok {
			i = len(counts)
			at[text] = i
			counts = append(counts, MarkCount{Value: text})
		}
		counts[i].Rows += n
	}
	slices.SortFunc(counts, func(a, b MarkCount) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), strings.Compare(a.Value, b.Value))
	})
	return slices.Clip(counts[:min(len(counts), maxMarkCounts)])
}

// findKeys finds the column of the keys file that holds the keys.
func (f *folder) findKeys() error {
	k := f.deletes.Keys
	if k == nil || len(k.Columns) == 0 {
		return nil
	}
	f.keysKey = k.column(f.key)
	if f.keysKey == nil && len(k.Columns) == 1 {
		f.keysKey = &k.Columns[0]
	}
	if f.keysKey == nil {
		return fmt.Errorf("%w; give the column of the keys that name in the first line of each file, or leave no other column in",
			noColumn(k, "the file of keys to delete", "key column", f.key))
	}
	return nil
}

// headerNames returns the names of columns of the keys files that may be keys,
// because a file begins with them instead of with a header: that of the only
// column, and, as several files need not have the same, any but the key's there.
func (f *folder) headerNames() []string {
	k := f.deletes.Keys
	if k == nil || len(k.Columns) > 1 && len(k.Files) < 2 {
		return nil
	}
	return slices.DeleteFunc(columnNames(k), func(name string) bool { return name == f.key })
}

// checkHeader refuses a keys file that begins with the key of a record before or
// of the delta: taken for a header, it would stay.
func (f *folder) checkHeader() error {
	for _, name := range f.headerNames() {
		slot := f.slot(normalize.Trim(name))
		if slot == none || f.slots[slot].before == none && !f.slots[slot].sent {
			continue
		}
		paths := make([]string, len(f.deletes.Keys.Files))
		for i := range paths {
			paths[i] = f.deletes.Keys.Files[i].Path
		}
		return fmt.Errorf("the file of keys to delete (%s): its column is named %q, which is the key of a record, so it seems to have no header line; give it a first line with the name of the key column, %s",
			strings.Join(paths, ", "), name, f.key)
	}
	return nil
}

// applyKeys removes the keys of the keys file.
func (f *folder) applyKeys() {
	if f.keysKey == nil {
		return
	}
	keys := f.deletes.Keys
	for row := range keys.Rows {
		slot := f.slot(f.keysKey.key(uint32(row)))
		if slot == none {
			f.report.Rejected++
			file, n := keys.Where(row)
			f.rejects.file = file
			f.rejects.add(n, f.keysKey.Name, "the row names no key to delete", "")
			continue
		}
		s := &f.slots[slot]
		if s.listed {
			f.report.RepeatedKeys++
			continue
		}
		s.listed = true
		f.remove(s)
	}
}

// remove deletes what a slot stands for.
func (f *folder) remove(s *foldSlot) {
	if !s.known {
		f.report.UnknownDeletes++
	}
	s.row, s.fresh = none, true
}

// skipKeys counts the rows of the keys file that were rejected.
func (f *folder) skipKeys(files []File) {
	if f.report.Rejected == 0 {
		return
	}
	keys := *f.deletes.Keys
	keys.Files = files
	for row := range keys.Rows {
		if f.keysKey.key(uint32(row)) == "" {
			at := row
			if keys.rows != nil {
				at = int(keys.rows[row])
			}
			keys.skip(at)
		}
	}
}
