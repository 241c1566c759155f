package ingest

import (
	"fmt"
	"unicode/utf8"
)

// Reject is a row, column or value that could not be taken as it was.
//
//	Row   Column  what happened
//	n     ""      row n is lost
//	n     name    row n is kept, the value of that column is not as in the file:
//	              repaired (invalid UTF-8 becomes U+FFFD, NUL is taken out) or
//	              null, as Reason says
//	0     name    the column is not read: its type is not one value a record
//
// A file that cannot be read at all is an error, not a reject.
type Reject struct {
	File   string
	Row    int64 // 1-based data row, 0 = the whole file
	Column string
	Reason string
	Value  string // at most 200 bytes of it
}

// maxRejectValue is the length in bytes up to which a reject shows its value.
const maxRejectValue = 200

// rejects collects the rejects of one task: the first of them, and the number
// of all. It is not safe for concurrent use; tasks have one each.
type rejects struct {
	file  string
	limit int
	list  []Reject
}

func (r *rejects) add(row int64, column, reason, value string) {
	if len(r.list) >= r.limit {
		return
	}
	r.list = append(r.list, Reject{r.file, row, column, reason, shorten(value)})
}

// shorten cuts a value for display, at a rune's border.
func shorten(s string) string {
	if len(s) <= maxRejectValue {
		return string([]byte(s))
	}
	n := maxRejectValue
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:n], len(s))
}
