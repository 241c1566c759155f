package match

import (
	"context"
	"math"
	"slices"

	"sama/match/blocking"
	"sama/match/comparison"
	"sama/record"
)

// Whether the fields of a group (given and family name; the parts of an
// address) are compared together or each by itself is decided by the data, on
// a sample of the candidate pairs and of random pairs.
//
// The parts of an address are compared jointly where that makes the model
// clearer: where people move, all parts of an address change together, and
// separate comparisons count the move several times over. Where errors fall on
// the parts independently, separate comparisons lose nothing.
//
// Names are compared jointly where that fits better. Both forms are counted on
// the same pairs, so that an event is the levels of the separate comparisons
// together with the level of the joint one. Each form then gives a probability
// to the whole event: the mixture's probability of its own levels, times the
// frequency of the other form's levels given them, which does not depend on
// the class:
//
//	separate:  P(which are null) · Σ_k λ_k Π_c q_kc[level] · P(joint | separate)
//	joint:     P(null or not)    · Σ_k λ_k q_k[joint] …    · P(separate | joint)
//
// Half of the pairs train, the other half judge; the form with the higher
// held-out log likelihood is taken.

// The choice looks at jointPairs candidate pairs or, where that is more, at as
// many as are likely to hold half of jointRecords matches.
const (
	jointPairs   = 100_000
	jointRecords = 6_000
)

// An address is compared jointly if the clarity of the model rises by so much,
// or if it does not fall and the log likelihood rises by that share.
const (
	addressGain       = 0.01
	addressLikelihood = 0.007
)

// A joint comparison of names has many levels: it takes so many matches to
// learn them. It is also out of the question if after it the model hardly
// tells matches from non-matches: it has then found another split of the pairs.
const (
	jointNameMatches = 400
	nameLoss         = 0.04
)

// fewMatches is the number of expected matches below which half of the pairs
// is too little to tell how clear a model is: all are used.
const fewMatches = 1_500

// jointIterations is how many steps each form is trained for the choice.
const jointIterations = 80

// fieldGroup is a group of fields that can be compared in two forms.
type fieldGroup struct {
	joint    int   // index of the joint comparison in the plan of both forms
	separate []int // indices of the separate ones
}

// ChooseJoint decides which groups of fields the table's plan should compare
// jointly, from pairs that the blocking plan proposes.
func ChooseJoint(ctx context.Context, t *record.Table, b *blocking.Plan, workers int) (Joint, error) {
	p, name, address := newBothPlan(t)
	if len(name.separate) == 0 && len(address.separate) == 0 {
		return Joint{}, nil
	}
	share := min(1, max(jointPairs/float64(max(1, b.Pairs())), jointRecords/float64(t.Len())))
	vectors, err := p.sampleVectors(ctx, b, share, workers)
	if err != nil || len(vectors) == 0 {
		return Joint{}, err
	}
	j := newFormJudge(p, name, address, vectors, workers)
	best := j.judge(Joint{})
	if len(address.separate) > 0 {
		if other := j.judge(Joint{Address: true}); other.betterAddress(best) {
			best = other
		}
	}
	if len(name.separate) > 0 {
		other := j.judge(Joint{Name: true, Address: best.form.Address})
		if other.likelihood > best.likelihood && other.clarity > best.clarity-nameLoss && other.matches/share >= jointNameMatches {
			best = other
		}
	}
	return best.form, nil
}

// newBothPlan makes a plan with both forms of every group, and those other
// comparisons for which there is room.
func newBothPlan(t *record.Table) (p *Plan, name, address fieldGroup) {
	p = &Plan{Table: t}
	l := new(comparison.Layout)
	place := func(c comparison.Comparison) int {
		p.Comparisons = append(p.Comparisons, c)
		return len(p.Comparisons) - 1
	}
	if c := comparison.NewName(l, t); c != nil {
		name.joint = place(c)
		name.separate = []int{place(comparison.NewGiven(l, t)), place(comparison.NewFamily(l, t))}
	}
	if c := comparison.NewAddress(l, t); c != nil {
		address.joint = place(c)
		for _, f := range addressFields {
			if column := t.Column(f); column != nil {
				address.separate = append(address.separate, place(comparison.NewValue(l, column)))
			}
		}
	}
	rest := &Plan{Table: t}
	if birth := t.Column(record.BirthDate); birth != nil {
		rest.add(comparison.NewDate(l, birth))
	}
	rest.addContacts(l)
	rest.addOthers(l)
	room := comparison.MaxComparisons - len(p.Comparisons)
	p.Comparisons = append(p.Comparisons, rest.Comparisons[:min(room, len(rest.Comparisons))]...)
	p.rows = l.Rows(t.Len())
	return p, name, address
}

// sampleVectors counts the vectors of a part of the candidate pairs, chosen by
// the records' numbers, and of random pairs.
func (p *Plan) sampleVectors(ctx context.Context, b *blocking.Plan, share float64, workers int) ([]Counted, error) {
	keep := uint32(share * math.MaxUint32)
	c := &Candidates{ByRule: make([]int64, len(b.Rules))}
	for range max(1, workers) {
		c.workers = append(c.workers, newTally(len(b.Rules)))
	}
	err := b.Enumerate(ctx, workers, func(worker, rule int, pairs []record.Pair) {
		kept := pairs[:0]
		for _, pair := range pairs {
			if pairHash(pair) <= keep {
				kept = append(kept, pair)
			}
		}
		c.workers[worker].add(p, rule, kept, false)
	}, nil)
	if err != nil {
		return nil, err
	}
	c.merge()
	return append(c.Vectors, p.random(c.Vectors, workers)...), nil
}

// pairHash spreads pairs evenly over 32 bits.
func pairHash(p record.Pair) uint32 {
	h := (uint64(p.A)<<32 | uint64(p.B)) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return uint32(h >> 32)
}

// halves parts the pairs of every vector into two; odd ones go either way by
// the vector's hash.
func halves(all []Counted) (train, test []Counted) {
	for _, v := range all {
		a := v.Pairs / 2
		if v.Pairs%2 == 1 && unit(v.Vector) < 0.5 {
			a++
		}
		if a > 0 {
			train = append(train, Counted{v.Vector, a})
		}
		if b := v.Pairs - a; b > 0 {
			test = append(test, Counted{v.Vector, b})
		}
	}
	return train, test
}

// formJudge compares the forms on the same pairs.
type formJudge struct {
	plan          *Plan // with both forms of every group
	name, address fieldGroup
	workers       int
	train, test   []Counted
	all           []Counted // both
}

func newFormJudge(p *Plan, name, address fieldGroup, vectors []Counted, workers int) *formJudge {
	j := &formJudge{plan: p, name: name, address: address, workers: workers, all: vectors}
	j.train, j.test = halves(vectors)
	return j
}

// judgement is what training one form brought.
type judgement struct {
	form       Joint
	likelihood float64 // log likelihood of the test pairs, in nats
	clarity    float64 // see mixture.clarity
	matches    float64 // expected among all the judge's pairs
}

// betterAddress says whether comparing the address jointly, as a did, is better
// than comparing its parts.
func (a judgement) betterAddress(parts judgement) bool {
	gain := (a.likelihood - parts.likelihood) / math.Abs(parts.likelihood)
	return a.clarity > parts.clarity+addressGain || a.clarity >= parts.clarity && gain > addressLikelihood
}

// judge trains one form and tries it.
func (j *formJudge) judge(form Joint) judgement {
	var drop []int
	result := judgement{form: form}
	for _, g := range []struct {
		group fieldGroup
		joint bool
	}{{j.name, form.Name}, {j.address, form.Address}} {
		if len(g.group.separate) == 0 {
			continue
		}
		own, other := g.group.separate, []int{g.group.joint}
		if g.joint {
			own, other = other, own
		}
		drop = append(drop, other...)
		result.likelihood += conditional(j.train, j.test, own, other)
		result.likelihood += nullness(j.train, j.test, own)
	}
	sub, use := j.plan.without(drop)
	x := sub.fit(project(j.train, use), j.workers)
	result.likelihood += x.likelihood(project(j.test, use))
	result.matches = 2 * x.shares[0] * x.pairs
	if result.matches < fewMatches {
		x = sub.fit(project(j.all, use), j.workers)
		result.matches = x.shares[0] * x.pairs
	}
	result.clarity = x.clarity()
	return result
}

// fit trains the plan's comparisons on vectors.
func (p *Plan) fit(vectors []Counted, workers int) *mixture {
	seed := newSeeder(p.Comparisons, starts[0])
	seed.prune(vectors)
	x := newMixture(p.Comparisons, vectors, len(seed.kinds), workers)
	x.bounds = seed.bounds()
	x.fit(func(i int) classRow { return seed.responsibilities(&vectors[i].Vector) }, jointIterations)
	return x
}

// without returns the plan without some comparisons, and the indices of the
// others.
func (p *Plan) without(drop []int) (sub *Plan, use []int) {
	sub = &Plan{Table: p.Table}
	for c, cmp := range p.Comparisons {
		if !slices.Contains(drop, c) {
			sub.Comparisons = append(sub.Comparisons, cmp)
			use = append(use, c)
		}
	}
	return sub, use
}

// project keeps the chosen comparisons of every vector.
func project(all []Counted, use []int) []Counted {
	out := make([]Counted, len(all))
	for i, v := range all {
		out[i].Pairs = v.Pairs
		for to, from := range use {
			out[i].Vector[to] = v.Vector[from]
		}
	}
	return out
}

// pick returns the levels of some comparisons of a vector.
func pick(v comparison.Vector, of []int) (p comparison.Vector) {
	for i, c := range of {
		p[i] = v[c]
	}
	return p
}

// conditional returns Σ log P(target | given) over the test pairs, P being
// the frequency in the training pairs; a combination not seen there gets the
// share of one half observation.
func conditional(train, test []Counted, given, target []int) float64 {
	type both struct{ given, target comparison.Vector }
	joint, base := make(map[both]float64), make(map[comparison.Vector]float64)
	kinds := make(map[comparison.Vector]float64)
	for _, v := range train {
		g := pick(v.Vector, given)
		key := both{g, pick(v.Vector, target)}
		if joint[key] == 0 {
			kinds[g]++
		}
		joint[key] += float64(v.Pairs)
		base[g] += float64(v.Pairs)
	}
	sum := 0.0
	for _, v := range test {
		g := pick(v.Vector, given)
		n := joint[both{g, pick(v.Vector, target)}]
		// Krichevsky and Trofimov's estimator over the combinations seen, and one
		// for all that were not.
		sum += float64(v.Pairs) * math.Log((n+0.5)/(base[g]+0.5*(kinds[g]+1)))
	}
	return sum
}

// nullness returns Σ log P(which of the comparisons are null) over the test
// pairs.
func nullness(train, test []Counted, of []int) float64 {
	pattern := func(v comparison.Vector) (bits uint32) {
		for i, c := range of {
			if v[c] == 0 {
				bits |= 1 << i
			}
		}
		return bits
	}
	counts, total := make(map[uint32]float64), 0.0
	for _, v := range train {
		counts[pattern(v.Vector)] += float64(v.Pairs)
		total += float64(v.Pairs)
	}
	sum := 0.0
	for _, v := range test {
		n := counts[pattern(v.Vector)]
		sum += float64(v.Pairs) * math.Log((n+0.5)/(total+0.5*float64(len(counts)+1)))
	}
	return sum
}
