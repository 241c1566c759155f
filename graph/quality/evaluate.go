package quality

import (
	"cmp"
	"slices"
)

// Pairs counts pairs of records, or clusters.
type Pairs struct {
	Both  uint64 // found and true
	Found uint64
	True  uint64
}

// Precision returns the share of what was found that is true.
func (p Pairs) Precision() float64 { return share(p.Both, p.Found) }

// Recall returns the share of what is true that was found.
func (p Pairs) Recall() float64 { return share(p.Both, p.True) }

// F1 returns the harmonic mean of precision and recall.
func (p Pairs) F1() float64 { return share(2*p.Both, p.Found+p.True) }

func (p *Pairs) add(q Pairs) {
	p.Both, p.Found, p.True = p.Both+q.Both, p.Found+q.Found, p.True+q.True
}

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Cubed is B-cubed precision and recall.
type Cubed struct{ Precision, Recall float64 }

// F1 returns the harmonic mean of precision and recall.
func (c Cubed) F1() float64 {
	if c.Precision+c.Recall == 0 {
		return 0
	}
	return 2 * c.Precision * c.Recall / (c.Precision + c.Recall)
}

// Evaluation is how well clusters agree with the truth.
type Evaluation struct {
	Records  int // with a known truth
	Unknown  int // without, left out
	Pairwise Pairs
	BCubed   Cubed
	// Exact counts clusters: Found those that were found, True those of the
	// truth, Both those that hold the same records. Exact.Recall is the share of
	// persons with exactly one, right identity.
	Exact Pairs
}

// Evaluate compares the labels found with the truth.
func Evaluate(found, truth []uint32) Evaluation {
	known := knownRecords(truth)
	e := Evaluation{Records: len(known), Unknown: len(truth) - len(known)}
	size := groupSizes(known, func(r uint32) uint64 { return uint64(found[r]) })
	trueSize := groupSizes(known, func(r uint32) uint64 { return uint64(truth[r]) })
	for _, n := range size {
		e.Pairwise.Found += pairs(n.records)
	}
	for _, n := range trueSize {
		e.Pairwise.True += pairs(n.records)
	}
	e.Exact.Found, e.Exact.True = uint64(len(size)), uint64(len(trueSize))
	// Cells are in the order of truth, then found.
	cells := groupSizes(known, func(r uint32) uint64 { return uint64(truth[r])<<32 | uint64(found[r]) })
	var precision, recall float64
	at := 0
	for _, c := range cells {
		for trueSize[at].key != c.key>>32 {
			at++
		}
		f, _ := slices.BinarySearchFunc(size, c.key&(1<<32-1), func(g group, key uint64) int { return cmp.Compare(g.key, key) })
		both, ofFound, ofTruth := c.records, size[f].records, trueSize[at].records
		e.Pairwise.Both += pairs(both)
		if both == ofFound && both == ofTruth {
			e.Exact.Both++
		}
		square := float64(both) * float64(both)
		precision += square / float64(ofFound)
		recall += square / float64(ofTruth)
	}
	if n := float64(len(known)); n > 0 {
		e.BCubed = Cubed{precision / n, recall / n}
	} else {
		e.BCubed = Cubed{1, 1}
	}
	return e
}

func pairs(n uint64) uint64 { return n * (n - 1) / 2 }

// knownRecords returns the records with a truth.
func knownRecords(truth []uint32) []uint32 {
	var list []uint32
	for r, label := range truth {
		if label != 0 {
			list = append(list, uint32(r))
		}
	}
	return list
}

type group struct{ key, records uint64 }

// groupSizes counts records by key, ascending.
func groupSizes(records []uint32, key func(r uint32) uint64) []group {
	keys := make([]uint64, len(records))
	for i, r := range records {
		keys[i] = key(r)
	}
	slices.Sort(keys)
	var groups []group
	for _, k := range keys {
		if n := len(groups); n == 0 || groups[n-1].key != k {
			groups = append(groups, group{key: k})
		}
		groups[len(groups)-1].records++
	}
	return groups
}

// SourcePair is the pairwise measure between two sources, or within one.
type SourcePair struct {
	A, B uint16 // A ≤ B
	Pairs
}

// BySourcePair parts the pairwise counts by the sources of the two records,
// source being that of each record. Only source pairs with a found or true pair
// are there, ascending.
func BySourcePair(found, truth []uint32, source []uint16) []SourcePair {
	known := knownRecords(truth)
	sums := make(map[[2]uint16]*Pairs)
	count := func(key func(r uint32) uint64, field func(p *Pairs) *uint64) {
		bySource(known, source, key, func(a, b uint16, n uint64) {
			p := sums[[2]uint16{a, b}]
			if p == nil {
				p = new(Pairs)
				sums[[2]uint16{a, b}] = p
			}
			*field(p) += n
		})
	}
	count(func(r uint32) uint64 { return uint64(found[r]) }, func(p *Pairs) *uint64 { return &p.Found })
	count(func(r uint32) uint64 { return uint64(truth[r]) }, func(p *Pairs) *uint64 { return &p.True })
	count(func(r uint32) uint64 { return uint64(truth[r])<<32 | uint64(found[r]) }, func(p *Pairs) *uint64 { return &p.Both })
	list := make([]SourcePair, 0, len(sums))
	for k, p := range sums {
		list = append(list, SourcePair{k[0], k[1], *p})
	}
	slices.SortFunc(list, func(x, y SourcePair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return list
}

// bySource calls add with the number of pairs between every two sources inside
// every group of equal keys.
func bySource(records []uint32, source []uint16, key func(r uint32) uint64, add func(a, b uint16, n uint64)) {
	order := slices.Clone(records)
	slices.SortFunc(order, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(key(x), key(y)), cmp.Compare(source[x], source[y]))
	})
	var sizes []group // source → records in the group at hand
	end := func() {
		for i, x := range sizes {
			for _, y := range sizes[:i] {
				add(uint16(y.key), uint16(x.key), x.records*y.records)
			}
			if x.records > 1 {
				add(uint16(x.key), uint16(x.key), pairs(x.records))
			}
		}
		sizes = sizes[:0]
	}
	for i, r := range order {
		if i > 0 && key(order[i-1]) != key(r) {
			end()
		}
		if n := len(sizes); n == 0 || sizes[n-1].key != uint64(source[r]) {
			sizes = append(sizes, group{key: uint64(source[r])})
		}
		sizes[len(sizes)-1].records++
	}
	end()
}
