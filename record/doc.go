// Package record is the vocabulary of sama: what a source record is, how it is
// named, which fields it can have, and the columnar table that every stage
// reads.
//
// A source (a silo) holds source records. A record is named by its [Key],
// "source:record_id". A [Field] is a typed attribute such as given_name or
// postal_code. A [Table] holds all records of all sources column by column,
// sorted by source name and then record id, so that a record's number, and
// with it everything computed later, depends neither on the order of files nor
// on the order of rows in them. A Table is immutable once built.
//
// A [Column] keeps two forms of each value beside each other:
//
//	record i ──Raw[i]──→ RawText   the value as the source wrote it
//	         └─Code[i]─→ Normal    the normal form that is compared
//
// Code 0 means null in both. Two records have equal normal forms in a column
// exactly when their Codes are equal, so that equality, frequencies and
// everything derived from a value are array look-ups. Golden records show raw
// values, never normal forms.
//
// A [Row] is what scoring sees of one record: sixteen 32-bit slots, one cache
// line, filled by the plan of package match.
package record
