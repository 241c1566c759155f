package graph

import (
	"cmp"
	"slices"

	"sama/record"
)

// Constraints are what no weight may override.
type Constraints struct {
	Same    []record.Pair // a steward's "same": both records in one cluster
	NotSame []record.Pair // a steward's "not same": never in one cluster

	// Unique holds columns whose value names one identity: two records with
	// different values are never in one cluster.
	Unique []Unique
}

// Unique is a column of identifiers of which an identity has at most one, such
// as the national id. A source declared free of duplicates is one too: give
// every record of that source its own code and all others 0.
type Unique struct {
	Name string   // for messages
	Code []uint32 // record → code of its value, 0 = none
}

// OncePerValue says that an identity has at most one value of a column. Where
// check is not nil, only the values that pass it count: two identifiers whose
// check characters are right and that differ name two people or two firms, where
// one that fails may be a misspelling.
func OncePerValue(c *record.Column, check func(string) bool) Unique {
	counts := make([]bool, c.Normal.Len())
	for code := 1; code < len(counts); code++ {
		text := c.Normal.At(uint32(code))
		counts[code] = (c.Generic == nil || !c.Generic[code]) && (check == nil || check(text))
	}
	codes := make([]uint32, len(c.Code))
	for i, code := range c.Code {
		if counts[code] {
			codes[i] = code
		}
	}
	return Unique{c.Name, codes}
}

// OncePerSource says that an identity has at most one record of a source.
func OncePerSource(t *record.Table, name string) Unique {
	s := slices.Index(t.Sources, name)
	own := make([]uint32, t.Len())
	for r, source := range t.Source {
		if int(source) == s {
			own[r] = uint32(r) + 1
		}
	}
	return Unique{"records of " + name, own}
}

// mixed marks a node that holds two different codes of a unique column, which
// only "same" decisions can bring about; it agrees with no code.
const mixed = ^uint32(0)

// Contradiction is a constraint that "same" decisions break.
type Contradiction struct {
	Pair record.Pair // the two records that must not be one
	// Unique is the index of the unique column in which they differ, or −1
	// where they are a "not same" decision.
	Unique int
	// Chain leads from Pair.A to Pair.B; every two neighbours in it are a
	// "same" decision. No chain is shorter.
	Chain []uint32
}

// Contradictions returns the constraints that contradict the "same" decisions
// among n records, "not same" decisions first, then unique columns in order,
// each ascending by pair. For a unique column the first record of every
// further value is reported, against the first record of the group that has
// any value.
func (cons *Constraints) Contradictions(n int) []Contradiction {
	if len(cons.Same) == 0 {
		return nil
	}
	parent := singles(nil, n)
	next := make(map[uint32][]uint32)
	for _, p := range cons.Same {
		unite(parent, p.A, p.B)
		next[p.A] = append(next[p.A], p.B)
		next[p.B] = append(next[p.B], p.A)
	}
	for _, list := range next {
		slices.Sort(list)
	}
	groups := new(Clusters)
	groups.fromRoots(parent)

	var found []Contradiction
	for _, p := range cons.NotSame {
		if groups.Of[p.A] == groups.Of[p.B] {
			found = append(found, Contradiction{p, -1, chain(next, p.A, p.B)})
		}
	}
	for u, column := range cons.Unique {
		for k := range uint32(groups.Len()) {
			for _, p := range differing(column.Code, groups.At(k)) {
				found = append(found, Contradiction{p, u, chain(next, p.A, p.B)})
			}
		}
	}
	slices.SortFunc(found, func(a, b Contradiction) int {
		if c := cmp.Compare(a.Unique, b.Unique); c != 0 {
			return c
		}
		return comparePairs(a.Pair, b.Pair)
	})
	return slices.CompactFunc(found, func(a, b Contradiction) bool {
		return a.Unique == b.Unique && a.Pair == b.Pair
	})
}

// Reconciled returns the constraints with every unique column changed so that
// values which "same" decisions bring together among n records count as one: who
// says that two records with different identifiers are one person says so of
// all records with these identifiers. The columns given are not changed.
func (cons *Constraints) Reconciled(n int) Constraints {
	out := *cons
	if len(cons.Same) == 0 {
		return out
	}
	parent := singles(nil, n)
	for _, p := range cons.Same {
		unite(parent, p.A, p.B)
	}
	groups := new(Clusters)
	groups.fromRoots(parent)
	out.Unique = slices.Clone(cons.Unique)
	for u := range out.Unique {
		out.Unique[u].Code = oneCode(out.Unique[u].Code, groups)
	}
	return out
}

// oneCode gives all codes that meet in a group the smallest of them.
func oneCode(code []uint32, groups *Clusters) []uint32 {
	root := make(map[uint32]uint32)
	find := func(c uint32) uint32 {
		for {
			up, ok := root[c]
			if !ok {
				return c
			}
			c = up
		}
	}
	for k := range uint32(groups.Len()) {
		if groups.Size(k) == 1 {
			continue
		}
		first := uint32(0)
		for _, r := range groups.At(k) {
			switch c := find(code[r]); {
			case code[r] == 0 || c == first:
			case first == 0:
				first = c
			default:
				root[max(c, first)] = min(c, first)
				first = min(c, first)
			}
		}
	}
	if len(root) == 0 {
		return code
	}
	out := make([]uint32, len(code))
	for r, c := range code {
		out[r] = find(c)
	}
	return out
}

// differing returns, for every value but the first that the members hold, the
// pair of the first record with any value and the first with that one.
func differing(code, members []uint32) []record.Pair {
	var pairs []record.Pair
	var seen []uint32
	var first uint32
	for _, r := range members {
		switch v := code[r]; {
		case v == 0 || slices.Contains(seen, v):
		case len(seen) == 0:
			first, seen = r, append(seen, v)
		default:
			pairs, seen = append(pairs, record.Pair{A: first, B: r}), append(seen, v)
		}
	}
	return pairs
}

// chain returns a shortest path from a to b, the first in order of records.
func chain(next map[uint32][]uint32, a, b uint32) []uint32 {
	from := map[uint32]uint32{b: b}
	for queue := []uint32{b}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == a {
			break
		}
		for _, r := range next[queue[0]] {
			if _, ok := from[r]; !ok {
				from[r] = queue[0]
				queue = append(queue, r)
			}
		}
	}
	path := []uint32{a}
	for r := a; r != b; {
		r = from[r]
		path = append(path, r)
	}
	return path
}

func comparePairs(a, b record.Pair) int {
	if c := cmp.Compare(a.A, b.A); c != 0 {
		return c
	}
	return cmp.Compare(a.B, b.B)
}
