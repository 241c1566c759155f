package graph

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"sama/record"
)

// Options steer [Correlate] and [ChooseThreshold].
type Options struct {
	// Threshold is the match weight from which on a pair speaks for joining.
	// ChooseThreshold does not read it.
	Threshold record.Weight
	// Clip bounds how much one pair can say for or against joining.
	Clip record.Weight
	// Unseen is the signed weight of a pair without an edge; not above 0.
	Unseen record.Weight
	// Unkept is the number of matches to be expected among scored pairs that
	// were not kept as edges. [ChooseThreshold] counts them as missed.
	Unkept float64
	// Workers is the number of goroutines; 0 means one per core.
	Workers int
}

// nat is one natural unit of evidence in bits.
const nat = math.Log2E

// DefaultOptions returns the options of accuracy.md's recipe for threshold t: a
// pair says at most 7 nats, and a pair without an edge half a nat against.
func DefaultOptions(t record.Weight) Options {
	return Options{
		Threshold: t,
		Clip:      record.WeightOfBits(7 * nat),
		Unseen:    record.WeightOfBits(-0.5 * nat),
	}
}

// Validate returns what is wrong with the options, or nil.
func (o Options) Validate() error {
	switch {
	case o.Clip <= 0 || o.Clip > 1000*record.WeightUnit:
		return fmt.Errorf("clustering: clip is %.3f bits; it must be above 0 and at most 1000", o.Clip.Bits())
	case o.Unseen > 0 || o.Unseen < -o.Clip:
		return fmt.Errorf("clustering: a pair without an edge weighs %.3f bits; it must be between 0 and minus clip, %.3f", o.Unseen.Bits(), -o.Clip.Bits())
	case !(o.Unkept >= 0):
		return fmt.Errorf("clustering: %v expected matches outside the edges; give 0 or more", o.Unkept)
	}
	return nil
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.NumCPU()
}

// signed returns what an edge of that weight says for (above 0) or against
// joining. An edge exactly at the threshold speaks for it, by one unit.
func (o *Options) signed(w, t record.Weight) int64 {
	if w == t {
		return 1
	}
	return int64(max(-o.Clip, min(o.Clip, w-t)))
}

// Correlate parts n records into clusters by correlation clustering of their
// edges at opt.Threshold under the constraints, as the package comment
// describes, and returns the contradictions among the constraints with them.
// It panics if opt does not validate.
func Correlate(n int, edges []record.Edge, cons Constraints, opt Options) (*Clusters, []Contradiction) {
	if err := opt.Validate(); err != nil {
		panic(err)
	}
	return correlate(n, edges, cons, opt, false), cons.Contradictions(n)
}

// correlate does the work of Correlate; rough is contraction alone.
func correlate(n int, edges []record.Edge, cons Constraints, opt Options, rough bool) *Clusters {
	g := newGrouped(n, edges, &cons, opt.Threshold, nil)
	root := make([]uint32, n)
	g.each(opt.workers(), func() func(k uint32) {
		s := solver{opt: opt, cons: &cons, rough: rough}
		return func(k uint32) {
			members := g.comps.At(k)
			label := s.solve(members, g.at(k), opt.Threshold)
			for i, r := range members {
				root[r] = members[label[i]]
			}
		}
	})
	c := new(Clusters)
	c.fromRoots(root)
	return c
}

// Weights of local edges that are constraints; far outside any match weight.
const (
	weightSame    record.Weight = math.MaxInt32
	weightNotSame record.Weight = math.MinInt32
)

// localEdge is an edge inside a component, its ends being places among the
// component's members.
type localEdge struct {
	a, b   uint32
	weight record.Weight
	chance uint32 // match probability, in units of 2⁻³¹; where it is asked for
}

// grouped holds the edges and decisions inside the components at a weight,
// component by component. Those between components are left out.
type grouped struct {
	comps *Clusters
	start []uint32 // component → its first edge
	edges []localEdge
}

// newGrouped returns the components of records joined by edges at or above min
// or by a "same" decision, and what is inside them. chance maps a weight to its
// probability and may be nil.
func newGrouped(n int, edges []record.Edge, cons *Constraints, min record.Weight, chance *chances) *grouped {
	parent := singles(nil, n)
	for _, e := range edges {
		if e.Weight >= min {
			unite(parent, e.A, e.B)
		}
	}
	for _, p := range cons.Same {
		unite(parent, p.A, p.B)
	}
	g := &grouped{comps: new(Clusters)}
	g.comps.fromRoots(parent)
	g.fill(edges, cons, chance)
	return g
}

// fill groups the edges by component: a counting sort.
func (g *grouped) fill(edges []record.Edge, cons *Constraints, chance *chances) {
	of := g.comps.Of
	g.start = make([]uint32, g.comps.Len()+1)
	next := g.start[1:]
	count := func(a, b uint32) {
		if of[a] == of[b] {
			next[of[a]]++
		}
	}
	for _, e := range edges {
		count(e.A, e.B)
	}
	for _, p := range cons.Same {
		count(p.A, p.B)
	}
	for _, p := range cons.NotSame {
		count(p.A, p.B)
	}
	var sum uint32
	for k, size := range next {
		next[k] = sum
		sum += size
	}
	place := make([]uint32, len(of)) // record → place in its component
	for i, r := range g.comps.Members {
		place[r] = uint32(i) - g.comps.Start[of[r]]
	}
	g.edges = make([]localEdge, sum)
	put := func(a, b uint32, w record.Weight, p uint32) {
		if k := of[a]; k == of[b] && a != b {
			g.edges[next[k]] = localEdge{place[a], place[b], w, p}
			next[k]++
		}
	}
	for _, e := range edges {
		put(e.A, e.B, e.Weight, chance.of(e.Weight))
	}
	for _, p := range cons.Same {
		put(p.A, p.B, weightSame, 0)
	}
	for _, p := range cons.NotSame {
		put(p.A, p.B, weightNotSame, 0)
	}
}

// at returns the edges and decisions inside component k.
func (g *grouped) at(k uint32) []localEdge { return g.edges[g.start[k]:g.start[k+1]] }

// each calls a function on every component of two records or more. Each of the
// workers asks once for its own function.
func (g *grouped) each(workers int, function func() func(k uint32)) {
	const chunk = 512
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			do := function()
			for {
				end := int(next.Add(chunk))
				for k := end - chunk; k < min(end, g.comps.Len()); k++ {
					do(uint32(k))
				}
				if end >= g.comps.Len() {
					return
				}
			}
		})
	}
	wg.Wait()
}

// chances maps weights to probabilities in units of 2⁻³¹ by a table.
type chances struct{ table []uint32 }

// The table covers ±32 bits; probabilities beyond are 0 and 1 in these units.
const chanceBits = 32 * record.WeightUnit

var chanceTable = sync.OnceValue(func() *chances {
	c := &chances{make([]uint32, 2*chanceBits+1)}
	for i := range c.table {
		c.table[i] = uint32(math.Round((record.Weight(i) - chanceBits).Probability() * (1 << 31)))
	}
	return c
})

// of returns the probability of weight w; 0 if c is nil.
func (c *chances) of(w record.Weight) uint32 {
	if c == nil {
		return 0
	}
	return c.table[max(-chanceBits, min(chanceBits, w))+chanceBits]
}
