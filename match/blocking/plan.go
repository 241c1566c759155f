package blocking

import (
	"fmt"
	"math"
	"strings"

	"sama/record"
)

// Rule is a conjunction of key expressions.
type Rule struct {
	Name        string
	Expressions []*Expression
}

// ParseRule reads "family_name.sound + birth_date.year".
func ParseRule(text string, all []*Expression) (Rule, error) {
	var r Rule
	var names []string
	for name := range strings.SplitSeq(text, "+") {
		name = strings.TrimSpace(name)
		found := false
		for _, e := range all {
			if e.Name == name {
				r.Expressions = append(r.Expressions, e)
				found = true
			}
		}
		if !found {
			return Rule{}, fmt.Errorf("blocking rule %q: no key expression %q; this data offers %s", text, name, strings.Join(expressionNames(all), ", "))
		}
		names = append(names, name)
	}
	r.Name = strings.Join(names, " + ")
	return r, nil
}

func expressionNames(all []*Expression) []string {
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.Name
	}
	return names
}

// NewRule returns the conjunction of expressions.
func NewRule(expressions ...*Expression) Rule {
	return Rule{Name: strings.Join(expressionNames(expressions), " + "), Expressions: expressions}
}

// AllPairs is the rule that proposes every pair of records.
var AllPairs = Rule{Name: "all pairs"}

// slots returns how many keys a record has under the rule.
func (r Rule) slots() int {
	n := 1
	for _, e := range r.Expressions {
		n *= len(e.Slots)
	}
	return n
}

// keys writes the rule's keys: slot → record → hash, 0 = null. A key that a
// record already has in an earlier slot is null.
func (r Rule) keys(n int) [][]uint32 {
	if len(r.Expressions) == 0 {
		all := make([]uint32, n)
		for i := range all {
			all[i] = 1
		}
		return [][]uint32{all}
	}
	keys := make([][]uint32, r.slots())
	for s := range keys {
		keys[s] = make([]uint32, n)
		rest := s
		for x, e := range r.Expressions {
			slot, hashes := e.Slots[rest%len(e.Slots)], e.hashes()
			rest /= len(e.Slots)
			if x == 0 {
				for i, code := range slot {
					keys[s][i] = mixFirst(hashes[code])
				}
				continue
			}
			for i, code := range slot {
				keys[s][i] = mix(keys[s][i], hashes[code])
			}
		}
		for earlier := range s {
			for i, key := range keys[s] {
				if key == keys[earlier][i] {
					keys[s][i] = 0
				}
			}
		}
	}
	return keys
}

// mixFirst hashes the first value of a conjunction; 0 stays 0.
func mixFirst(code uint32) uint32 {
	if code == 0 {
		return 0
	}
	return nonZero(hash32(code ^ 0x9e3779b9))
}

// mix hashes a key with a further value; 0 on either side gives 0.
func mix(key, code uint32) uint32 {
	if key == 0 || code == 0 {
		return 0
	}
	return nonZero(hash32(key*0x85ebca6b ^ hash32(code+0x7f4a7c15)))
}

func nonZero(h uint32) uint32 {
	if h == 0 {
		return 1
	}
	return h
}

// hash32 is the finaliser of MurmurHash3 (Appleby, public domain).
func hash32(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return h
}

// GivenUp names a block that stayed too large.
type GivenUp struct {
	Value   string // the expressions' values, as text
	Records int
	Pairs   int64
}

// RuleStats says what a rule proposes before any pair is compared.
type RuleStats struct {
	Name    string
	Blocks  int
	Largest int   // records in the largest block after splitting
	Pairs   int64 // pairs in its blocks, those of earlier rules included
	Split   int   // blocks that were split
	GivenUp []GivenUp
	// GivenUpPairs counts the pairs of all blocks that were given up; GivenUp
	// names the largest of them.
	GivenUpPairs int64
}

// Plan is an ordered list of rules, ready to enumerate.
type Plan struct {
	Rules []Rule
	Stats []RuleStats

	n      int
	keys   [][]uint32 // slot over all rules → record → key
	first  []int      // rule → its first slot in keys; one more at the end
	orders [][]entry  // rule → (key, record) sorted, runs of one dropped
	packed []uint32   // keys record by record, for the duplicate test
	stride int

	splitters []*Expression
	splits    [][]Split // rule → the blocks that were too large
}

// Options bound a plan.
type Options struct {
	// Limit is the greatest number of records in a block. 0 means no limit.
	Limit int
	// Splitters are the expressions by which too large blocks are split, the
	// first that parts a block well is taken first.
	Splitters []*Expression
	// Active marks the records that take part; nil means all.
	Active []bool
}

// NewPlan builds the keys and blocks of the rules.
func NewPlan(t *record.Table, rules []Rule, opt Options) *Plan {
	p := &Plan{Rules: rules, n: t.Len(), first: []int{0}, splitters: opt.Splitters}
	for _, r := range rules {
		keys := r.keys(p.n)
		if opt.Active != nil {
			for _, slot := range keys {
				for i, on := range opt.Active {
					if !on {
						slot[i] = 0
					}
				}
			}
		}
		limit := opt.Limit
		if len(r.Expressions) == 0 {
			limit = 0
		}
		stats := RuleStats{Name: r.Name}
		p.splits = append(p.splits, nil)
		order := p.build(r, keys, limit, opt.Splitters, &stats)
		p.keys = append(p.keys, keys...)
		p.first = append(p.first, len(p.keys))
		p.orders = append(p.orders, order)
		p.Stats = append(p.Stats, stats)
	}
	p.pack()
	return p
}

// pack lays the keys out record by record: the duplicate test of a pair reads
// two short runs instead of a column a rule.
func (p *Plan) pack() {
	p.stride = max(1, len(p.keys))
	p.packed = make([]uint32, p.n*p.stride)
	for s, keys := range p.keys {
		for i, key := range keys {
			p.packed[i*p.stride+s] = key
		}
	}
	p.keys = nil
}

// build sorts one rule's keys, splits and caps its blocks, and returns the
// entries of blocks of two and more.
func (p *Plan) build(r Rule, keys [][]uint32, limit int, splitters []*Expression, stats *RuleStats) []entry {
	order := sortedEntries(keys)
	order = p.splitLarge(r, keys, order, limit, splitters, stats)
	kept := order[:0]
	for start := 0; start < len(order); {
		end := runEnd(order, start)
		if size := end - start; size > 1 {
			kept = append(kept, order[start:end]...)
			stats.Blocks++
			stats.Largest = max(stats.Largest, size)
			stats.Pairs += pairsOf(size)
		}
		start = end
	}
	return kept
}

func pairsOf(n int) int64 { return int64(n) * int64(n-1) / 2 }

func runEnd(order []entry, start int) int {
	end := start + 1
	for end < len(order) && order[end].key == order[start].key {
		end++
	}
	return end
}

// Pairs returns the number of pairs in the blocks of all rules; a pair that
// several rules find is counted by each.
func (p *Plan) Pairs() int64 {
	var n int64
	for _, s := range p.Stats {
		n += s.Pairs
	}
	return n
}

// Reduction returns the share of all possible pairs that the plan leaves out.
func (p *Plan) Reduction() float64 {
	return 1 - math.Min(1, float64(p.Pairs())/math.Max(1, float64(pairsOf(p.n))))
}
