package match

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"sama/match/comparison"
)

// classes is the width of a row of class probabilities: one match class and up
// to MaxKinds kinds of non-match.
const classes = MaxKinds + 1

type classRow [classes]float64

// bound says that the pairs of a class have one of these traits in no more
// than that share.
type bound struct {
	traits comparison.Traits
	most   float64
}

// mixture estimates a mixture of classes by expectation maximisation on counts
// of comparison vectors. The probabilities of a vector are products, not sums
// of logarithms: sixteen factors of at least 1e-9 do not underflow.
type mixture struct {
	kinds   int // of non-match
	workers int
	first   [comparison.MaxComparisons + 1]int // comparison → first row of q
	levels  [comparison.MaxComparisons]int
	m0      []float64           // row → documented probability among matches
	contra  []bool              // row → speaks strongly against a match
	traits  []comparison.Traits // row → what it means
	bounds  [classes]bound      // class → what its pairs have by chance alone
	// evidence is, row by row, how much more a level speaks for than against a
	// match; filled is the share of pairs in which a comparison has evidence.
	evidence []float64
	filled   [comparison.MaxComparisons]float64
	overall  []float64 // row → frequency of the level among all pairs that have one

	start  []uint32 // vector → its first entry in rows; one more at the end
	rows   []uint16 // rows of q that the vectors reached, null levels left out
	width  int      // comparisons
	counts []float64
	pairs  float64

	q      []classRow // row 0 is unused
	shares classRow
}

// matchStrength is how many matches the documented probabilities of a
// comparison's levels are worth beside the data's own.
const matchStrength = 8

func newMixture(comparisons []comparison.Comparison, vectors []Counted, kinds, workers int) *mixture {
	x := &mixture{kinds: kinds, workers: max(1, workers), width: len(comparisons)}
	rows := 1
	for c, cmp := range comparisons {
		x.first[c] = rows
		x.levels[c] = len(cmp.Levels()) - 1
		rows += x.levels[c]
	}
	x.first[len(comparisons)] = rows
	x.q = make([]classRow, rows)
	x.m0 = make([]float64, rows)
	x.overall = make([]float64, rows)
	x.contra = make([]bool, rows)
	x.traits = make([]comparison.Traits, rows)
	x.evidence = make([]float64, rows)
	for c, cmp := range comparisons {
		for l, level := range cmp.Levels() {
			if l > 0 {
				x.m0[x.first[c]+l-1] = level.M
				x.contra[x.first[c]+l-1] = level.Contra >= strongContra
				x.traits[x.first[c]+l-1] = level.Traits
				if level.Agree < sureAgree {
					x.traits[x.first[c]+l-1] &^= comparison.BirthSame
				}
				x.evidence[x.first[c]+l-1] = level.Agree - level.Contra
			}
		}
	}
	x.start = make([]uint32, 1, len(vectors)+1)
	x.rows = make([]uint16, 0, len(vectors)*x.width)
	x.counts = make([]float64, len(vectors))
	for i, v := range vectors {
		x.counts[i] = float64(v.Pairs)
		x.pairs += x.counts[i]
		for c := range x.width {
			if l := v.Vector[c]; l > 0 {
				row := x.first[c] + int(l) - 1
				x.rows = append(x.rows, uint16(row))
				x.overall[row] += x.counts[i]
			}
		}
		x.start = append(x.start, uint32(len(x.rows)))
	}
	for c := range x.width {
		for row := x.first[c]; row < x.first[c+1]; row++ {
			x.filled[c] += x.overall[row] / max(1, x.pairs)
		}
		normalize(x.overall[x.first[c]:x.first[c+1]])
		normalize(x.m0[x.first[c]:x.first[c+1]])
	}
	return x
}

func normalize(p []float64) {
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	if sum > 0 {
		for i := range p {
			p[i] /= sum
		}
	}
}

// chunk is how many vectors are summed together: sums are formed chunk by
// chunk and then in order of chunks, so that they do not depend on the number
// of workers.
const chunk = 4096

// partial is one chunk's sums.
type partial struct {
	q      []classRow
	shares classRow
	loglik float64
}

// sweep runs one expectation step with responsibilities from fn, or from the
// present parameters if fn is nil, and returns the sums.
func (x *mixture) sweep(fn func(vector int) classRow, into *partial, parts []partial) {
	n := len(x.counts)
	chunks := (n + chunk - 1) / chunk
	var wg sync.WaitGroup
	for w := range x.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for c := w; c < chunks; c += x.workers {
				x.sweepChunk(c*chunk, min(n, (c+1)*chunk), fn, &parts[c])
			}
		}()
	}
	wg.Wait()
	clear(into.q)
	into.shares, into.loglik = classRow{}, 0
	for c := range chunks {
		for row := range into.q {
			for k := range into.q[row] {
				into.q[row][k] += parts[c].q[row][k]
			}
		}
		for k := range into.shares {
			into.shares[k] += parts[c].shares[k]
		}
		into.loglik += parts[c].loglik
	}
}

func (x *mixture) sweepChunk(from, to int, fn func(int) classRow, p *partial) {
	clear(p.q)
	p.shares, p.loglik = classRow{}, 0
	for i := from; i < to; i++ {
		rows := x.reached(i)
		n := x.counts[i]
		var r classRow
		if fn != nil {
			r = fn(i)
		} else {
			r = x.joint(rows)
			sum := 0.0
			for _, v := range r {
				sum += v
			}
			p.loglik += n * math.Log(sum)
			for k := range r {
				r[k] /= sum
			}
		}
		for k := range r {
			r[k] *= n
			p.shares[k] += r[k]
		}
		for _, row := range rows {
			q := &p.q[row]
			for k := range r {
				q[k] += r[k]
			}
		}
	}
}

// reached returns the rows of q that a vector reached.
func (x *mixture) reached(i int) []uint16 { return x.rows[x.start[i]:x.start[i+1]] }

// joint returns the joint probability with each class of a vector that reached
// the given rows.
func (x *mixture) joint(rows []uint16) classRow {
	r := x.shares
	for _, row := range rows {
		q := &x.q[row]
		for k := range r {
			r[k] *= q[k]
		}
	}
	return r
}

// maximize sets the parameters from sums. fixed, if true, leaves class 0 alone.
func (x *mixture) maximize(s *partial, fixed bool) {
	total := 0.0
	for k := 0; k <= x.kinds; k++ {
		total += s.shares[k]
	}
	for k := 0; k <= x.kinds; k++ {
		x.shares[k] = max(s.shares[k]/total, 1e-9)
	}
	for c := range x.width {
		from, to := x.first[c], x.first[c+1]
		strength := 0.3 * float64(to-from)
		for k := 0; k <= x.kinds; k++ {
			if k == 0 && fixed {
				continue
			}
			sum, prior := 0.0, strength
			if k == 0 {
				prior = strength + matchStrength
			}
			for row := from; row < to; row++ {
				sum += s.q[row][k]
			}
			for row := from; row < to; row++ {
				base := strength * x.overall[row]
				if k == 0 {
					base += matchStrength * x.m0[row]
				}
				x.q[row][k] = max((s.q[row][k]+base)/(sum+prior), 1e-9)
			}
		}
		if !fixed {
			x.capContra(from, to)
		}
		for k := 1; k <= x.kinds; k++ {
			x.capKind(from, to, k)
		}
	}
}

// A level that speaks so strongly against a match (given names differ, dates
// of birth differ) can be true of no more than that share of the matches: a
// class in which it is commoner is no match class but relatives, neighbours or
// strangers with something in common.
const (
	strongContra = 1.2
	mostContra   = 0.2
)

// capContra holds the match class to mostContra in one comparison.
func (x *mixture) capContra(from, to int) {
	against := 0.0
	for row := from; row < to; row++ {
		if x.contra[row] {
			against += x.q[row][0]
		}
	}
	if against <= mostContra || against > 1-1e-6 {
		return
	}
	for row := from; row < to; row++ {
		if x.contra[row] {
			x.q[row][0] *= mostContra / against
		} else {
			x.q[row][0] *= (1 - mostContra) / (1 - against)
		}
	}
}

// sureAgree is the evidence from which on a date of birth is the same for
// certain, not nearly.
const sureAgree = 1

// capKind holds a kind of non-match to its bound in one comparison: namesakes
// have the same date of birth by chance alone, relatives the same given name
// seldom. A class in which that is commoner holds matches that differ elsewhere.
func (x *mixture) capKind(from, to, k int) {
	b := x.bounds[k]
	same := 0.0
	for row := from; row < to; row++ {
		if x.traits[row]&b.traits != 0 {
			same += x.q[row][k]
		}
	}
	if same <= b.most || same > 1-1e-6 {
		return
	}
	for row := from; row < to; row++ {
		if x.traits[row]&b.traits != 0 {
			x.q[row][k] *= b.most / same
		} else {
			x.q[row][k] *= (1 - b.most) / (1 - same)
		}
	}
}

// fit runs expectation maximisation from the responsibilities that start gives.
func (x *mixture) fit(start func(vector int) classRow, iterations int) Training {
	chunks := (len(x.counts) + chunk - 1) / chunk
	parts := make([]partial, chunks)
	for c := range parts {
		parts[c].q = make([]classRow, len(x.q))
	}
	sums := partial{q: make([]classRow, len(x.q))}
	x.sweep(start, &sums, parts)
	x.maximize(&sums, false)
	t := Training{Pairs: int64(x.pairs), Vectors: len(x.counts)}
	before, settled := x.shares, false
	for t.Iterations < iterations && !settled {
		x.sweep(nil, &sums, parts)
		x.maximize(&sums, false)
		t.Iterations++
		if t.Iterations%relabelEvery == 0 {
			x.relabel()
		}
		loglik := sums.loglik / max(1, x.pairs)
		t.Converged = t.Iterations > 1 && loglik-t.LogLik < convergedGain
		t.LogLik = loglik
		change := 0.0
		for k := range before {
			change = max(change, math.Abs(before[k]-x.shares[k]))
		}
		before = x.shares
		settled = change < 2e-6 && t.Iterations > 5
	}
	t.Matches = x.shares[0] * x.pairs
	return t
}

// likelihood returns the log likelihood of vectors under the parameters, in
// nats.
func (x *mixture) likelihood(vectors []Counted) float64 {
	sum := 0.0
	rows := make([]uint16, 0, x.width)
	for _, v := range vectors {
		rows = rows[:0]
		for c := range x.width {
			if l := v.Vector[c]; l > 0 {
				rows = append(rows, uint16(x.first[c]+int(l)-1))
			}
		}
		all := 0.0
		for _, p := range x.joint(rows) {
			all += p
		}
		sum += float64(v.Pairs) * math.Log(all)
	}
	return sum
}

// settle estimates the shares of the classes anew over the first n vectors,
// which are the candidate pairs.
func (x *mixture) settle(n int) {
	for range 10 {
		var sum classRow
		total := 0.0
		for i := range n {
			r := x.joint(x.reached(i))
			all := 0.0
			for _, v := range r {
				all += v
			}
			for k := range r {
				sum[k] += x.counts[i] * r[k] / all
			}
			total += x.counts[i]
		}
		for k := 0; k <= x.kinds; k++ {
			x.shares[k] = max(sum[k]/total, 1e-9)
		}
	}
}

// relabelEvery is after how many steps the classes are checked.
const relabelEvery = 10

// relabel makes the class whose members agree most, by the documented evidence
// of their levels, the match class. The classes of a mixture have no names of
// their own: while training, matches may come to sit in another class than the
// one that was meant for them.
func (x *mixture) relabel() {
	best, most := 0, x.agreement(0)
	for k := 1; k <= x.kinds; k++ {
		if a := x.agreement(k); a > most+relabelMargin {
			best, most = k, a
		}
	}
	if best == 0 {
		return
	}
	x.bounds[best] = bound{}
	x.shares[0], x.shares[best] = x.shares[best], x.shares[0]
	for row := range x.q {
		x.q[row][0], x.q[row][best] = x.q[row][best], x.q[row][0]
	}
}

// relabelMargin is how much more evidence another class must show than the
// match class.
const relabelMargin = 0.5

// agreement returns the mean evidence, for less against a match, of a class's
// levels, summed over the comparisons by how often they have evidence.
func (x *mixture) agreement(k int) float64 {
	sum := 0.0
	for c := range x.width {
		part := 0.0
		for row := x.first[c]; row < x.first[c+1]; row++ {
			part += x.q[row][k] * x.evidence[row]
		}
		sum += part * x.filled[c]
	}
	return sum
}

// convergedGain is the gain of a last step, in nats a pair, up to which
// training counts as converged.
const convergedGain = 5e-5

// probability returns the probability of a match for a vector.
func (x *mixture) probability(vector int) float64 {
	r := x.joint(x.reached(vector))
	sum := 0.0
	for _, v := range r {
		sum += v
	}
	return r[0] / sum
}

// clarity returns the expected F1 of calling every pair a match whose
// probability is high enough, at the best cut: near 1 where the model tells
// matches from non-matches, low where it does not know.
func (x *mixture) clarity() float64 {
	type part struct{ p, n float64 }
	parts := make([]part, len(x.counts))
	all := 0.0
	for i := range parts {
		parts[i] = part{x.probability(i), x.counts[i]}
		all += parts[i].p * parts[i].n
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(b.n, a.n))
	})
	best, right, pairs := 0.0, 0.0, 0.0
	for _, p := range parts {
		right += p.p * p.n
		pairs += p.n
		best = max(best, 2*right/(pairs+all))
	}
	return best
}

// documented sets the parameters to documented priors: matches as documented,
// one kind of non-match as frequent as the levels are among random pairs,
// which are the vectors from the first n on. Shares are estimated.
func (x *mixture) documented(n int) {
	random := make([]float64, len(x.q))
	for i := n; i < len(x.counts); i++ {
		for _, row := range x.reached(i) {
			random[row] += x.counts[i]
		}
	}
	for c := range x.width {
		from, to := x.first[c], x.first[c+1]
		sum := 0.0
		for row := from; row < to; row++ {
			sum += random[row]
		}
		strength := 0.3 * float64(to-from)
		for row := from; row < to; row++ {
			x.q[row][0] = max(x.m0[row], 1e-6)
			x.q[row][1] = max((random[row]+strength*x.overall[row])/(sum+strength), 1e-9)
			// Agreement speaks for a match, however common it is here.
			if x.evidence[row] > 0 {
				x.q[row][1] = min(x.q[row][1], x.q[row][0]/2)
			}
		}
	}
	x.shares[0], x.shares[1] = 0.01, 0.99
	x.settle(n)
}
