// Package quality measures clusters against a known truth, and one run against
// another.
//
// Truth is a label for every record: records with equal labels are the same
// person. Label 0 means that the truth of the record is not known; such records
// are left out of everything. What is measured is a partition too, given by
// its labels, of which any number may be one.
//
// # Measures
//
//	pairwise   over pairs of records: found = in one cluster, true = of one person
//	           precision = both / found, recall = both / true
//	B-cubed    over records: of the records that share its cluster, the share that
//	           are the same person (precision), and the other way round (recall),
//	           averaged (Bagga and Baldwin, COLING 1998)
//	exact      over clusters: those that hold all records of a person and no other
//	blocking   over true pairs: the share that was compared at all; and matching, of
//	           these the share that was found
//
// F1 is 2·P·R / (P+R). A share of nothing is 1.
//
// Pairs are counted from the sizes of the cells that labels have in common, not
// by going through them: cost is that of sorting the records.
package quality
