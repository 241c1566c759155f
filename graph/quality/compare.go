package quality

import (
	"fmt"
	"slices"

	"sama/graph"
)

// ChangeKind is how identities of one run became those of the next.
type ChangeKind uint8

// The kinds of changes. Records that left or came do not make an identity
// merged or split.
const (
	Unchanged ChangeKind = iota // one identity, the same records
	Created                     // an identity of new records
	Retired                     // an identity whose records are all gone
	Grown                       // one identity, with new records
	Shrunk                      // one identity, without records that are gone
	Altered                     // one identity, with new records and without gone ones
	Merged                      // several became one
	Split                       // one became several
	Regrouped                   // several became several others
	changeKinds
)

var changeNames = [changeKinds]string{
	"unchanged", "created", "retired", "grown", "shrunk", "altered", "merged", "split", "regrouped",
}

// String returns the kind's name.
func (k ChangeKind) String() string {
	if k < changeKinds {
		return changeNames[k]
	}
	return fmt.Sprintf("change(%d)", uint8(k))
}

// Change is one or more identities that share records, directly or through
// others, before and after.
type Change struct {
	Kind          ChangeKind
	Before, After []uint32 // labels, in order of their smallest records
	Records       []uint32 // all records concerned, ascending
}

// Difference is what changed between two runs.
type Difference struct {
	Count   [changeKinds]int // changes by kind
	Changes []Change         // all but the unchanged, in order of their smallest records
}

// Compare returns the difference between the labels of two runs over one
// numbering of the records of both; label 0 means that the record is not in that
// run. Memory grows with the greatest label.
func Compare(before, after []uint32) Difference {
	together := graph.ClustersOf(joint(before, after))
	var d Difference
	for k := range uint32(together.Len()) {
		records := together.At(k)
		c := Change{Records: records, Before: distinct(before, records), After: distinct(after, records)}
		if len(c.Before)+len(c.After) == 0 {
			continue
		}
		c.Kind = kindOf(&c, before, after)
		d.Count[c.Kind]++
		if c.Kind != Unchanged {
			d.Changes = append(d.Changes, c)
		}
	}
	return d
}

// joint labels the records so that those share a label which share one before
// or after, directly or through others.
func joint(before, after []uint32) []uint32 {
	label := make([]uint32, len(before))
	for i := range label {
		label[i] = uint32(i)
	}
	find := func(r uint32) uint32 {
		for label[r] != r {
			label[r] = label[label[r]]
			r = label[r]
		}
		return r
	}
	for _, run := range [2][]uint32{before, after} {
		highest := uint32(0)
		for _, l := range run {
			highest = max(highest, l)
		}
		first := make([]uint32, uint64(highest)+1) // label → its first record and 1
		for r, l := range run {
			if l == 0 {
				continue
			}
			if first[l] == 0 {
				first[l] = uint32(r) + 1
				continue
			}
			a, b := find(first[l]-1), find(uint32(r))
			label[max(a, b)] = min(a, b)
		}
	}
	for r := range label {
		label[r] = find(uint32(r))
	}
	return label
}

// distinct returns the labels other than 0 of some records, in order of first
// appearance.
func distinct(label, records []uint32) []uint32 {
	var list []uint32
	var seen map[uint32]bool // of a long list
	for _, r := range records {
		l := label[r]
		if l == 0 || seen[l] || seen == nil && slices.Contains(list, l) {
			continue
		}
		list = append(list, l)
		switch {
		case seen != nil:
			seen[l] = true
		case len(list) == 32:
			seen = make(map[uint32]bool)
			for _, l := range list {
				seen[l] = true
			}
		}
	}
	return list
}

func kindOf(c *Change, before, after []uint32) ChangeKind {
	came := slices.ContainsFunc(c.Records, func(r uint32) bool { return before[r] == 0 })
	left := slices.ContainsFunc(c.Records, func(r uint32) bool { return after[r] == 0 })
	switch was, is := len(c.Before), len(c.After); {
	case was == 0:
		return Created
	case is == 0:
		return Retired
	case was > 1 && is > 1:
		return Regrouped
	case was > 1:
		return Merged
	case is > 1:
		return Split
	case came && left:
		return Altered
	case came:
		return Grown
	case left:
		return Shrunk
	}
	return Unchanged
}
