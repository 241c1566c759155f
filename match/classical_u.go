package match

import (
	"fmt"

	"sama/match/comparison"
	"sama/record"
)

// countU sets u: the frequencies of the levels among all pairs of records that
// have one.
func (t *trainer) countU() error {
	for c := range t.plan.Comparisons {
		counts, err := t.levelCounts(c)
		if err != nil {
			return err
		}
		sum := 0.0
		for _, n := range counts[1:] {
			sum += n
		}
		for l := 1; l < len(counts); l++ {
			t.uSeen[c][l] = counts[l]
			if counts[l] > 0 {
				t.u[c][l] = counts[l] / sum
			}
		}
	}
	return nil
}

// values are the distinct combinations of values of a comparison's columns.
type values struct {
	of      []uint32 // record → value
	example []uint32 // value → a record that holds it
	count   []int64  // value → records
	sources int
	bySrc   []int64 // value × source → records; nil unless only pairs across sources count
}

func (t *trainer) values(c comparison.Comparison) *values {
	n := t.plan.Table.Len()
	v := &values{of: make([]uint32, n), sources: len(t.plan.Table.Sources)}
	for _, column := range c.Columns() {
		ids := make(map[uint64]uint32)
		for i, code := range column.Code {
			k := uint64(v.of[i])<<32 | uint64(code)
			id, ok := ids[k]
			if !ok {
				id = uint32(len(ids))
				ids[k] = id
			}
			v.of[i] = id
		}
	}
	for i, value := range v.of {
		if int(value) == len(v.count) {
			v.example = append(v.example, uint32(i))
			v.count = append(v.count, 0)
		}
		v.count[value]++
	}
	if t.spec.OnlyAcross {
		v.bySrc = make([]int64, len(v.count)*v.sources)
		for i, value := range v.of {
			v.bySrc[int(value)*v.sources+int(t.plan.Table.Source[i])]++
		}
	}
	return v
}

// pairs returns the number of pairs of a record with value x and one with value
// y.
func (v *values) pairs(x, y uint32) int64 {
	n := v.count[x] * v.count[y]
	if x == y && v.bySrc == nil {
		return v.count[x] * (v.count[x] - 1) / 2
	}
	if v.bySrc != nil {
		a, b := v.bySrc[int(x)*v.sources:], v.bySrc[int(y)*v.sources:]
		for s := range v.sources {
			n -= a[s] * b[s]
		}
	}
	if x == y {
		n /= 2
	}
	return n
}

// levelCounts returns how many pairs reach each level of a comparison. While
// the pairs of distinct values are few, every one is compared and counted as
// often as records hold it: the result is that of comparing all records. Beyond,
// only the pairs of equal values are counted so, and the others from a sample of
// pairs of records.
func (t *trainer) levelCounts(c int) ([]float64, error) {
	v := t.values(t.plan.Comparisons[c])
	space := &pairSpace{self: 1}
	members := make([]uint32, len(v.count))
	for i := range members {
		members[i] = uint32(i)
	}
	space.addBlock(members)
	if space.pairs() > uint64(t.spec.MaxPairs) {
		return t.sampledCounts(c, v)
	}
	counts := t.newLevelCounter(c)
	_, err := space.each(t.ctx, space.pairs(), t.workers, func(worker int, pairs []record.Pair) {
		k := &counts[worker]
		k.records = k.records[:0]
		for _, p := range pairs {
			k.records = append(k.records, record.Pair{A: v.example[p.A], B: v.example[p.B]})
		}
		for i, level := range k.compare() {
			k.levels[level[c]] += v.pairs(pairs[i].A, pairs[i].B)
		}
	})
	return merged(counts), err
}

func (t *trainer) sampledCounts(c int, v *values) ([]float64, error) {
	same := t.newLevelCounter(c)[:1]
	equal := int64(0)
	for value := range uint32(len(v.count)) {
		same[0].records = append(same[0].records[:0], record.Pair{A: v.example[value], B: v.example[value]})
		n := v.pairs(value, value)
		same[0].levels[same[0].compare()[0][c]] += n
		equal += n
	}
	all := make([]uint32, len(v.of))
	for i := range all {
		all[i] = uint32(i)
	}
	space := new(pairSpace)
	space.addBlock(all)
	counts := t.newLevelCounter(c)
	_, err := space.each(t.ctx, uint64(t.spec.MaxPairs), t.workers, func(worker int, pairs []record.Pair) {
		k := &counts[worker]
		k.records = k.records[:0]
		for _, p := range t.across(pairs) {
			if v.of[p.A] != v.of[p.B] {
				k.records = append(k.records, p)
			}
		}
		for _, level := range k.compare() {
			k.levels[level[c]]++
		}
	})
	if err != nil {
		return nil, err
	}
	exact, sampled := merged(same), merged(counts)
	size := 0.0
	for _, n := range sampled {
		size += n
	}
	for l := range exact {
		if size > 0 {
			exact[l] += sampled[l] / size * (t.total - float64(equal))
		}
	}
	return exact, nil
}

// levelCounter is one worker's count of levels.
type levelCounter struct {
	of      comparison.Comparison
	index   int
	rows    comparison.Rows
	scratch *comparison.Scratch
	records []record.Pair
	out     []comparison.Vector
	levels  []int64
}

func (t *trainer) newLevelCounter(c int) []levelCounter {
	counters := make([]levelCounter, t.workers)
	for i := range counters {
		counters[i] = levelCounter{of: t.plan.Comparisons[c], index: c, rows: t.plan.rows, scratch: comparison.NewScratch(),
			out: make([]comparison.Vector, stretch), levels: make([]int64, len(t.plan.Comparisons[c].Levels()))}
	}
	return counters
}

// compare returns the vectors of the counter's pairs of records.
func (k *levelCounter) compare() []comparison.Vector {
	out := k.out[:len(k.records)]
	k.of.Compare(k.scratch, k.rows, k.records, out, k.index)
	return out
}

// merged adds the workers' counts: integers, so that their order is of no
// consequence.
func merged(counters []levelCounter) []float64 {
	sum := make([]float64, len(counters[0].levels))
	for l := range sum {
		var n int64
		for i := range counters {
			n += counters[i].levels[l]
		}
		sum[l] = float64(n)
	}
	return sum
}

// countStrict returns the number of pairs that at least one strict rule holds
// for. Each rule's pairs are those that agree on its exact columns, if all its
// conditions hold and no earlier rule's do.
func (t *trainer) countStrict() (float64, error) {
	layout := new(comparison.Layout)
	var rules []*comparison.LevelsComparison
	var spaces []*pairSpace
	for i, conditions := range t.spec.Strict {
		var columns, exact []string
		for _, d := range conditions {
			columns = append(columns, d.Column)
			if d.With != "" {
				columns = append(columns, d.With)
			}
			if d.Is == comparison.IsExact {
				exact = append(exact, d.Column)
			}
		}
		if len(exact) == 0 {
			return 0, fmt.Errorf("strict: rule %d needs a condition is: exact with a column, or it would compare every pair", i+1)
		}
		rule, err := comparison.NewLevels(layout, t.plan.Table, comparison.LevelSpec{Name: fmt.Sprintf("strict rule %d", i+1),
			Columns: distinctNames(columns), Levels: []comparison.LevelRule{{All: conditions}}})
		if err != nil {
			return 0, err
		}
		on, err := named(t.plan.Table, exact)
		if err != nil {
			return 0, fmt.Errorf("strict: rule %d: %w", i+1, err)
		}
		rules = append(rules, rule)
		spaces = append(spaces, agreeing(on))
	}
	rows := layout.Rows(t.plan.Table.Len())
	total := 0.0
	for i := range rules {
		n, err := t.countRule(rules[:i+1], spaces[i], rows)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func distinctNames(names []string) []string {
	var distinct []string
	seen := make(map[string]bool)
	for _, name := range names {
		if !seen[name] {
			distinct = append(distinct, name)
			seen[name] = true
		}
	}
	return distinct
}

// countRule counts the pairs that the last rule is the first to hold for.
func (t *trainer) countRule(rules []*comparison.LevelsComparison, space *pairSpace, rows comparison.Rows) (float64, error) {
	if space.pairs() == 0 {
		return 0, nil
	}
	found := make([]int64, t.workers)
	scratch := make([]*comparison.Scratch, t.workers)
	out := make([][]comparison.Vector, t.workers)
	for i := range scratch {
		scratch[i], out[i] = comparison.NewScratch(), make([]comparison.Vector, stretch)
	}
	last := len(rules) - 1
	given, err := space.each(t.ctx, uint64(t.spec.MaxPairs), t.workers, func(worker int, pairs []record.Pair) {
		pairs = t.across(pairs)
		v := out[worker]
		rules[last].Compare(scratch[worker], rows, pairs, v[:len(pairs)], 0)
		pairs = kept(pairs, v, true)
		for _, earlier := range rules[:last] {
			earlier.Compare(scratch[worker], rows, pairs, v[:len(pairs)], 0)
			pairs = kept(pairs, v, false)
		}
		found[worker] += int64(len(pairs))
	})
	total := int64(0)
	for _, n := range found {
		total += n
	}
	return float64(total) * float64(space.pairs()) / float64(given), err
}

// kept keeps the pairs for which whether a strict rule holds is as wanted.
func kept(pairs []record.Pair, v []comparison.Vector, wanted bool) []record.Pair {
	n := 0
	for i, p := range pairs {
		if (v[i][0] == 1) == wanted {
			pairs[n] = p
			n++
		}
	}
	return pairs[:n]
}
