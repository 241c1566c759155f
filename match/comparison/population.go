package comparison

import (
	"sama/record"
)

// What a population counts for comparisons, by the name of the column.
func wordRecords(c *record.Column) string { return WordRecords(c.Name) }

func usersOf(name string) string          { return "people by " + name }
func commonDates(c *record.Column) string { return "common " + c.Name }

const (
	namesHeld  = "records by full name"
	phoneUsers = "phone"
	nameJoint  = "\x1f" // between given and family name
)

// WordRecords is what a population counts the records by words of a column of
// given names under.
func WordRecords(column string) string { return "records by word of " + column }

// Counting is a comparison that goes by how often values occur. Counts returns
// what it must know of a whole table where only a few of the table's records
// are at hand; values that occur once are left out.
type Counting interface {
	Counts() []record.Counts
}

// records returns the number of records that a column's counts are about.
func (l *Layout) records(c *record.Column) int {
	if l.Whole != nil {
		return int(l.Whole.Records)
	}
	return len(c.Code)
}

// whole returns the greater of a number worked out from the records at hand and
// the whole table's.
func (l *Layout) whole(what, text string, at uint32) uint32 {
	if l.Whole == nil {
		return at
	}
	return max(at, l.Whole.Count(what, text))
}
