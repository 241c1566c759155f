package blocking

import (
	"slices"
	"strings"
)

// entry is one record under one key.
type entry struct{ key, record uint32 }

// sortedEntries returns the records with a key, sorted by key and record.
func sortedEntries(keys [][]uint32) []entry {
	total := 0
	for _, slot := range keys {
		for _, key := range slot {
			if key != 0 {
				total++
			}
		}
	}
	order := make([]entry, 0, total)
	for _, slot := range keys {
		for i, key := range slot {
			if key != 0 {
				order = append(order, entry{key, uint32(i)})
			}
		}
	}
	radixSort(order)
	if len(keys) > 1 {
		sortRuns(order)
	}
	return order
}

// sortRuns sorts each run of one key by record: several slots were appended
// one after the other.
func sortRuns(order []entry) {
	for start := 0; start < len(order); {
		end := runEnd(order, start)
		if end-start > 1 {
			slices.SortFunc(order[start:end], func(a, b entry) int { return int(a.record) - int(b.record) })
		}
		start = end
	}
}

// radixSort sorts by key, least significant digit first, 11 bits a pass; it is
// stable, so that records stay in ascending order within a key.
func radixSort(a []entry) {
	const bits, buckets = 11, 1 << 11
	b := make([]entry, len(a))
	for shift := 0; shift < 32; shift += bits {
		var start [buckets]int
		for _, e := range a {
			start[e.key>>shift&(buckets-1)]++
		}
		sum := 0
		for i, n := range start {
			start[i] = sum
			sum += n
		}
		for _, e := range a {
			d := e.key >> shift & (buckets - 1)
			b[start[d]] = e
			start[d]++
		}
		a, b = b, a
	}
	// Three passes end in the scratch slice.
	copy(b, a)
}

// splitLarge replaces the keys of blocks over the limit by finer ones.
func (p *Plan) splitLarge(r Rule, keys [][]uint32, order []entry, limit int, splitters []*Expression, stats *RuleStats) []entry {
	if limit <= 0 {
		return order
	}
	changed := false
	for start := 0; start < len(order); {
		end := runEnd(order, start)
		if end-start > limit {
			stats.Split++
			p.split(r, keys, slices.Clone(order[start:end]), limit, splitters, stats)
			changed = true
		}
		start = end
	}
	if !changed {
		return order
	}
	slices.SortFunc(stats.GivenUp, func(a, b GivenUp) int {
		if a.Records != b.Records {
			return b.Records - a.Records
		}
		return strings.Compare(a.Value, b.Value)
	})
	stats.GivenUp = stats.GivenUp[:min(len(stats.GivenUp), 20)]
	return sortedEntries(keys)
}

// split rewrites the keys of one block: by the first splitter that the rule
// does not use already, then the parts that are still too large by the next.
func (p *Plan) split(r Rule, keys [][]uint32, block []entry, limit int, splitters []*Expression, stats *RuleStats) {
	if len(block) <= limit {
		return
	}
	for len(splitters) > 0 && uses(r, splitters[0]) {
		splitters = splitters[1:]
	}
	if len(splitters) == 0 {
		p.noteSplit(block[0].key, -1)
		stats.GivenUpPairs += pairsOf(len(block))
		stats.GivenUp = append(stats.GivenUp, GivenUp{r.text(block[0].record), len(block), pairsOf(len(block))})
		setKeys(keys, block, func(entry) uint32 { return 0 })
		return
	}
	by, hashes := splitters[0].Slots[0], splitters[0].hashes()
	old := block[0].key
	p.noteSplit(old, len(p.splitters)-len(splitters))
	parts := make([]entry, 0, len(block))
	setKeys(keys, block, func(e entry) uint32 { return mix(old, hashes[by[e.record]]) })
	for _, e := range block {
		if key := mix(old, hashes[by[e.record]]); key != 0 {
			parts = append(parts, entry{key, e.record})
		}
	}
	if lost := len(block) - len(parts); lost > 1 {
		stats.GivenUpPairs += pairsOf(lost)
	}
	slices.SortFunc(parts, func(a, b entry) int {
		if a.key != b.key {
			if a.key < b.key {
				return -1
			}
			return 1
		}
		return int(a.record) - int(b.record)
	})
	for start := 0; start < len(parts); {
		end := runEnd(parts, start)
		p.split(r, keys, slices.Clone(parts[start:end]), limit, splitters[1:], stats)
		start = end
	}
}

// setKeys replaces the key of every entry of a block in the slot that holds it.
func setKeys(keys [][]uint32, block []entry, to func(entry) uint32) {
	for _, e := range block {
		for _, slot := range keys {
			if slot[e.record] == e.key {
				slot[e.record] = to(e)
				break
			}
		}
	}
}

func uses(r Rule, e *Expression) bool {
	for _, x := range r.Expressions {
		if x == e || x.Group == e.Group && x.Bits >= e.Bits {
			return true
		}
	}
	return false
}

// text returns the values of a record under the rule, for reports.
func (r Rule) text(i uint32) string {
	var values []string
	for _, e := range r.Expressions {
		values = append(values, e.Name+"="+e.Text(i))
	}
	return strings.Join(values, " ")
}
