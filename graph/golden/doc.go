// Package golden computes golden records: of every field of an identity, the
// one value that survives, the rule that decided, and every value that lost.
//
// # Candidates
//
// A column is decided by itself, or with others as a group (the parts of an
// address, given and family name) whose values all come from one record. The
// candidates are the distinct normal forms among the records of a cluster; for
// a group, the distinct rows of normal forms. A record supports a candidate if
// it holds it. In a group, a row that says no more than another, each of its
// values being null or equal to the other's, is no candidate of its own and
// its records support the other: two records that know only the city do not
// outvote one with the whole address in that city. (Beyond 512 distinct rows in
// one cluster, each row stands for itself.)
//
// Null never wins. A generic value, one that names nobody in particular, wins
// only where there is no other, and the rule is then "generic". A row is
// generic if any of its values is.
//
// A further column of one field (a second phone number) does not repeat what
// an earlier one shows.
//
// # Cascade
//
// Rules are applied in order. Each keeps the candidates that are best by its
// measure, over all supporting records; the first that leaves one has decided.
//
//	source_priority  the source that stands first in a list
//	most_recent      the latest time; a record without one counts as oldest
//	first_seen       the earliest time; a record without one counts as latest
//	most_frequent    the number of sources, or of records
//	longest          the length of the normal form in code points
//	most_complete    the number of fields of the group that a record fills; of
//	                 all fields for a column without a group
//	trust            a source's trust, 0 to 100, less what it has lost with age
//	aggregate        all values survive, in the order of the other rules
//	smallest         the bytewise smallest normal form; always the last
//
// A fixed choice, a steward's or the person's own word, goes before all rules.
//
// The raw form shown is the most frequent one of the winner, then the smallest
// by bytes; its record is the one with the smallest key that holds it.
//
// # Output
//
// Results are columns beside those of the table. A value is named by a record
// that holds it, so the golden value of cluster k in column c is
//
//	table.Columns[c].RawValue(columns[c].Chosen[k])
//
// The result depends on the table, the clusters and the options alone.
package golden
