package match

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Budget bounds blocking.
type Budget struct {
	PairsPerRecord float64 // distinct candidate pairs a record
	MinPairs       int64   // allowed in any case: small data may look at more
	Block          int     // records in a block
}

// DefaultBudget is what sama resolve uses unless told otherwise.
var DefaultBudget = Budget{PairsPerRecord: 14, MinPairs: 1_500_000, Block: 60}

// Proposal is the blocking that was chosen for a table.
type Proposal struct {
	Rules   []blocking.Rule
	Options blocking.Options
	// Expected is the share of the probable matches of the sample that the
	// chosen rules find, of those that any rule considered finds.
	Expected   float64
	Considered int
}

const (
	sampleRecords = 40_000 // records that rules are tried on
	anchorRecords = 1_500  // records whose partners are looked at
	maxCandidates = 256
	maxRules      = 30
)

// Propose chooses blocking rules for the plan's table under a budget: all
// pairs if the budget allows it, else greedily the rule that finds the most
// probable matches not found yet for each pair it adds. What is a probable
// match is judged on a sample by the rules that training starts from.
func (p *Plan) Propose(budget Budget, workers int) *Proposal {
	copies := p.Copies()
	active := copies.activeRecords()
	n := int64(len(active))
	allowed := max(budget.MinPairs, int64(budget.PairsPerRecord*float64(n)))
	if n*(n-1)/2 <= allowed {
		return &Proposal{Rules: []blocking.Rule{blocking.AllPairs}, Options: blocking.Options{Active: copies.Active}, Expected: 1, Considered: 1}
	}
	all := blocking.Expressions(p.Table, p.columns())
	perRecord := float64(allowed) / float64(n)
	block := max(budget.Block, int(perRecord*2))
	s := newSample(p, all, active, perRecord, block, workers)
	chosen := s.choose(float64(allowed))
	proposal := &Proposal{Considered: len(s.rules), Options: blocking.Options{Limit: block, Splitters: splitters(all), Active: copies.Active}}
	for _, r := range chosen {
		proposal.Rules = append(proposal.Rules, s.rules[r])
	}
	proposal.Expected = s.covered(chosen)
	return proposal
}

// columns returns the columns that the plan compares: only what is compared is
// worth blocking on.
func (p *Plan) columns() []*record.Column {
	columns := []*record.Column{}
	for _, c := range p.Comparisons {
		columns = append(columns, c.Columns()...)
	}
	return columns
}

// splitters returns the expressions by which large blocks are parted, those
// that most records have and that part best first.
func splitters(all []*blocking.Expression) []*blocking.Expression {
	list := slices.DeleteFunc(slices.Clone(all), func(e *blocking.Expression) bool {
		return e.Filled < 0.3 || e.Bits < 2 || len(e.Slots) > 1
	})
	slices.SortStableFunc(list, func(a, b *blocking.Expression) int {
		return cmp.Compare(b.Filled*math.Min(b.Bits, 8), a.Filled*math.Min(a.Bits, 8))
	})
	return list[:min(len(list), 6)]
}

// candidateRules returns conjunctions of one to three expressions that propose
// a bearable number of pairs, estimated as if expressions were independent.
func candidateRules(all []*blocking.Expression, n int, perRecord float64) []blocking.Rule {
	type scored struct {
		rule blocking.Rule
		est  float64
	}
	limit := math.Log2(max(1, perRecord/2))
	estimate := func(es ...*blocking.Expression) float64 {
		est := math.Log2(float64(n) / 2)
		for _, e := range es {
			est += 2*math.Log2(e.Filled) - e.Bits + math.Log2(float64(len(e.Slots)))
		}
		return est
	}
	var list []scored
	// A conjunction is of use only if none of its parts is already selective.
	const selective = -1.0
	consider := func(es ...*blocking.Expression) {
		if est := estimate(es...); est <= limit {
			list = append(list, scored{blocking.NewRule(es...), est})
		}
	}
	for i, a := range all {
		consider(a)
		if estimate(a) <= selective {
			continue
		}
		for j := i + 1; j < len(all); j++ {
			b := all[j]
			if a.Group == b.Group || estimate(b) <= selective || len(a.Slots)*len(b.Slots) > 4 {
				continue
			}
			consider(a, b)
			if estimate(a, b) <= selective {
				continue
			}
			for k := j + 1; k < len(all); k++ {
				c := all[k]
				if c.Group == a.Group || c.Group == b.Group || estimate(c) <= selective ||
					estimate(a, c) <= selective || estimate(b, c) <= selective || len(a.Slots)*len(b.Slots)*len(c.Slots) > 4 {
					continue
				}
				if estimate(a, b) <= limit && estimate(a, b) < 1 {
					continue
				}
				consider(a, b, c)
			}
		}
	}
	// The loosest rules reach furthest; very tight ones add little.
	slices.SortStableFunc(list, func(a, b scored) int { return cmp.Compare(math.Abs(a.est-1), math.Abs(b.est-1)) })
	list = list[:min(len(list), maxCandidates)]
	rules := make([]blocking.Rule, len(list))
	for i, s := range list {
		rules[i] = s.rule
	}
	return rules
}

// ruleSet is a bit set of candidate rules.
type ruleSet [maxCandidates / 64]uint64

func (s *ruleSet) set(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *ruleSet) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// sample holds the pairs of the anchor records under every candidate rule.
type sample struct {
	rules []blocking.Rule
	pairs []samplePair
	scale float64 // sample pairs → pairs of the whole table
}

type samplePair struct {
	found ruleSet
	match float64
}

// newSample tries every candidate rule on a sample of the records.
func newSample(p *Plan, all []*blocking.Expression, records []uint32, perRecord float64, block, workers int) *sample {
	n := len(records)
	active, anchors := chooseSample(records)
	size := len(active)
	s := &sample{rules: candidateRules(all, n, perRecord)}
	fraction := float64(size) / float64(n)
	// A pair of the table is in the sample with fraction², and is seen there if
	// one of its sides is an anchor.
	unseen := 1 - float64(len(anchors))/float64(size)
	s.scale = 1 / (fraction * fraction * (1 - unseen*unseen))
	isAnchor := make([]bool, p.Table.Len())
	for _, a := range anchors {
		isAnchor[a] = true
	}
	limit := max(4, int(float64(block)*fraction))
	found := make([][]record.Pair, len(s.rules))
	var wg sync.WaitGroup
	for w := range max(1, workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := w; r < len(s.rules); r += max(1, workers) {
				found[r] = blocking.Partners(s.rules[r], active, isAnchor, limit)
			}
		}()
	}
	wg.Wait()
	s.judge(p, found, workers)
	return s
}

// chooseSample picks the records of the sample and the anchors among them,
// spread evenly over the active records.
func chooseSample(records []uint32) (active []uint32, anchors []uint32) {
	step := max(1, float64(len(records))/sampleRecords)
	for x := 0.0; int(x) < len(records); x += step {
		active = append(active, records[int(x)])
	}
	every := max(1, float64(len(active))/anchorRecords)
	for x := 0.0; int(x) < len(active); x += every {
		anchors = append(anchors, active[int(x)])
	}
	return active, anchors
}

// judge merges the rules' pairs and gives each its probability of a match.
func (s *sample) judge(p *Plan, found [][]record.Pair, workers int) {
	index := make(map[record.Pair]int)
	var pairs []record.Pair
	for r, list := range found {
		for _, pair := range list {
			i, ok := index[pair]
			if !ok {
				i = len(pairs)
				index[pair] = i
				pairs = append(pairs, pair)
				s.pairs = append(s.pairs, samplePair{})
			}
			s.pairs[i].found.set(r)
		}
	}
	seed := newSeeder(p.Comparisons, starts[0])
	out := make([]comparison.Vector, len(pairs))
	p.compareAll(pairs, out, workers)
	for i := range out {
		s.pairs[i].match = seed.probability(&out[i])
	}
}

// choose picks rules greedily until the budget of pairs is used up or no rule
// finds anything worth having.
func (s *sample) choose(allowed float64) []int {
	taken := make([]bool, len(s.pairs))
	total := 0.0
	for _, p := range s.pairs {
		total += p.match
	}
	// A rule costs its own pairs and its share of the budget: without the
	// share, tight rules that find little would be taken one after the other.
	share := allowed / s.scale / maxRules
	var chosen []int
	used := 0.0
	for len(chosen) < maxRules {
		gain, cost := make([]float64, len(s.rules)), make([]float64, len(s.rules))
		for i, p := range s.pairs {
			if taken[i] {
				continue
			}
			for word, set := range p.found {
				for ; set != 0; set &= set - 1 {
					r := word*64 + bits.TrailingZeros64(set)
					gain[r] += p.match
					cost[r]++
				}
			}
		}
		best, bestRatio := -1, 0.0
		for r := range s.rules {
			if used+cost[r]*s.scale > allowed || gain[r] < 0.0003*total {
				continue
			}
			if ratio := gain[r] / (cost[r] + share); ratio > bestRatio {
				best, bestRatio = r, ratio
			}
		}
		if best < 0 {
			break
		}
		chosen = append(chosen, best)
		used += cost[best] * s.scale
		for i := range s.pairs {
			if s.pairs[i].found.has(best) {
				taken[i] = true
			}
		}
	}
	return chosen
}

// covered returns the share of probable matches that the chosen rules find.
func (s *sample) covered(chosen []int) float64 {
	total, found := 0.0, 0.0
	for _, p := range s.pairs {
		total += p.match
		for _, r := range chosen {
			if p.found.has(r) {
				found += p.match
				break
			}
		}
	}
	if total == 0 {
		return 0
	}
	return found / total
}
