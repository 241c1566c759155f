package quality

import (
	"cmp"
	"slices"

	"sama/graph"
)

// Kept is two runs whose identities keep their ids. Records are numbered over
// both runs, identities by themselves in each; graph.None stands where there is
// none.
type Kept struct {
	Before, After []uint32 // record → its identity in each run
	Was           []uint32 // identity after → the identity before with the same id
	Dormant       []bool   // identity after → the run before knew its id as one that was not live
	Into          []uint32 // identity before → the identity after that its id leads to, if the run after knows
}

// KeptDifference is what became of the identities by their ids. An identity of
// the run after is created if the run before has no such id and none of its
// records in an identity, split if it has some of them, restored if its id was
// dormant; one of the run before is merged if its id leads to another, or, where
// the run after does not know the id, if its records are still there, else
// retired. One that both runs have can be grown and shrunk at once.
type KeptDifference struct {
	Count     [graph.Restored + 1]int // identities by graph.EventKind
	Unchanged int
	Kinds     []uint8    // identity after → a bit each of Created, Grown, Shrunk, Split and Restored; 0 is unchanged
	From      []uint32   // identity after → of one that is split or restored, the identity before that most of its records had
	Ended     []uint32   // identity before → the identity after that it is, or was merged into, None if retired
	Movements []Movement // the most records first
}

// Movement is records of one identity that are another's now. The two have
// different ids.
type Movement struct {
	From, To uint32 // an identity before, one after
	Records  int
}

// CompareKept returns what became of the identities of one run in another by
// their ids. Its time is linear in the records, but for sorting those that moved.
func CompareKept(k *Kept) *KeptDifference {
	d := &KeptDifference{
		Kinds: make([]uint8, len(k.Was)),
		From:  filled(len(k.Was)),
		Ended: filled(len(k.Into)),
	}
	for a, b := range k.Was {
		if b != graph.None {
			d.Ended[b] = uint32(a)
		}
	}
	d.Movements = k.movements(d)
	for _, m := range d.Movements { // the largest comes first
		if k.Was[m.To] == graph.None && d.From[m.To] == graph.None {
			d.From[m.To] = m.From
		}
	}
	for a, b := range k.Was {
		if b != graph.None {
			continue
		}
		switch {
		case k.Dormant[a]:
			d.Kinds[a] = 1 << graph.Restored
		case d.From[a] != graph.None:
			d.Kinds[a] = 1 << graph.Split
		default:
			d.Kinds[a] = 1 << graph.Created
		}
	}
	d.end(k)
	d.sum()
	return d
}

// movements marks who grew and shrunk, and returns which records moved.
func (k *Kept) movements(d *KeptDifference) []Movement {
	var flows []uint64
	for r, b := range k.Before {
		a := k.After[r]
		if a != graph.None && b != graph.None && k.Was[a] == b {
			continue
		}
		if a != graph.None && k.Was[a] != graph.None {
			d.Kinds[a] |= 1 << graph.Grown
		}
		if b != graph.None && d.Ended[b] != graph.None {
			d.Kinds[d.Ended[b]] |= 1 << graph.Shrunk
		}
		if a != graph.None && b != graph.None {
			flows = append(flows, uint64(b)<<32|uint64(a))
		}
	}
	slices.Sort(flows)
	var all []Movement
	for i := 0; i < len(flows); {
		from := i
		for i < len(flows) && flows[i] == flows[from] {
			i++
		}
		all = append(all, Movement{uint32(flows[from] >> 32), uint32(flows[from]), i - from})
	}
	slices.SortFunc(all, func(x, y Movement) int {
		return cmp.Or(cmp.Compare(y.Records, x.Records), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
	return all
}

// end finds where the identities went that are not live any more.
func (d *KeptDifference) end(k *Kept) {
	live := make([]bool, len(d.Ended))
	for b, a := range d.Ended {
		live[b] = a != graph.None
		if !live[b] {
			d.Ended[b] = k.Into[b]
		}
	}
	for _, m := range d.Movements {
		if d.Ended[m.From] == graph.None {
			d.Ended[m.From] = m.To
		}
	}
	for b, a := range d.Ended {
		switch {
		case live[b]:
		case a == graph.None:
			d.Count[graph.Retired]++
		default:
			d.Count[graph.Merged]++
		}
	}
}

// sum counts the identities of the run after by kind.
func (d *KeptDifference) sum() {
	for _, kinds := range d.Kinds {
		if kinds == 0 {
			d.Unchanged++
		}
		for _, kind := range []graph.EventKind{graph.Created, graph.Grown, graph.Shrunk, graph.Split, graph.Restored} {
			if kinds&(1<<kind) != 0 {
				d.Count[kind]++
			}
		}
	}
}

func filled(n int) []uint32 {
	list := make([]uint32, n)
	for i := range list {
		list[i] = graph.None
	}
	return list
}
