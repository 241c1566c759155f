package match

import (
	"math"

	"sama/match/comparison"
	"sama/record"
)

// MaxKinds is the greatest number of kinds of non-match in a model.
const MaxKinds = 7

// Model gives a match weight to every comparison vector. It is a mixture of
// one match class and one or more kinds of non-match; within a class the
// comparisons are independent:
//
//	L_k = log2 share_k + Σ_c log2 q_kc[level]      k = 0 match, 1… kinds of non-match
//	weight = L_0 − log2 Σ_{k≥1} 2^L_k
//
// With one kind of non-match this is the model of Fellegi and Sunter (1969): q_0c is
// m, q_1c is u, and the weight is the prior plus Σ log2(m/u).
type Model struct {
	Version     int               `json:"version"`
	Method      string            `json:"method"` // mixture, classical or prior
	Joint       Joint             `json:"joint"`
	Shares      []float64         `json:"shares"` // of the candidate pairs: match, then the kinds of non-match
	Kinds       []string          `json:"kinds"`
	Comparisons []ComparisonModel `json:"comparisons"`
	Training    Training          `json:"training"`
	// Classical is the specification of a classical model: it makes the same
	// comparisons again.
	Classical *ClassicalSpec `json:"classical,omitempty"`
	// Threshold is the weight, in bits, at which clustering cuts; set by resolve.
	Threshold *float64 `json:"threshold,omitempty"`
}

// ComparisonModel holds the probabilities of one comparison's levels.
type ComparisonModel struct {
	Name   string       `json:"name"`
	Levels []LevelModel `json:"levels"` // index 0 is the null level and carries no evidence

	table [][MaxKinds + 1]int32 // once frozen
}

// LevelModel holds the probability of a level in each class.
type LevelModel struct {
	Label string `json:"label"`
	// M is the probability of the level among matches, U that in each kind of
	// non-match.
	M float64   `json:"m"`
	U []float64 `json:"u"`
	// Matches and NonMatches are the pairs that the estimates rest on; a level
	// with neither was never seen in training and has its documented default.
	Matches    float64 `json:"matches"`
	NonMatches float64 `json:"non_matches"`
	Untrained  bool    `json:"untrained,omitempty"`
}

// Training says how a model came about and how far it can be trusted.
type Training struct {
	Pairs      int64    `json:"pairs"`
	Vectors    int      `json:"vectors"`
	Iterations int      `json:"iterations"`
	Converged  bool     `json:"converged"`
	LogLik     float64  `json:"log_likelihood"` // nats a pair
	Matches    float64  `json:"expected_matches"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Weights is a model compiled for scoring: integer tables and no floating
// point, so that a weight is the same on every machine and in every order.
type Weights struct {
	kinds int
	base  [MaxKinds + 1]int32
	// table holds, per comparison and level, the log2 probabilities of all
	// classes in 1/1024 bit.
	table [comparison.MaxComparisons][][MaxKinds + 1]int32
	// adjust is what term frequencies add pair by pair, nil for nothing.
	adjust *Adjustments
}

// Compile compiles a model for scoring the plan's pairs.
func (p *Plan) Compile(m *Model) *Weights {
	w := m.compile()
	w.adjust = p.Adjustments(m)
	return w
}

// compile builds the integer tables.
func (m *Model) compile() *Weights {
	w := &Weights{kinds: len(m.Shares) - 1}
	for k, share := range m.Shares {
		w.base[k] = logFixed(share)
	}
	for c := range m.Comparisons {
		cm := &m.Comparisons[c]
		if w.table[c] = cm.table; w.table[c] == nil {
			w.table[c] = cm.logs()
		}
	}
	for c := range w.table {
		if w.table[c] == nil {
			w.table[c] = make([][MaxKinds + 1]int32, 1)
		}
	}
	return w
}

// logs returns the log2 of the probabilities by level and class.
func (cm *ComparisonModel) logs() [][MaxKinds + 1]int32 {
	table := make([][MaxKinds + 1]int32, len(cm.Levels))
	for l, level := range cm.Levels {
		if l == 0 {
			continue
		}
		table[l][0] = logFixed(level.M)
		for k, u := range level.U {
			table[l][k+1] = logFixed(u)
		}
	}
	return table
}

// Freeze says that the probabilities will not change any more: what compiling
// the model takes is done once and not for every plan.
func (m *Model) Freeze() {
	for c := range m.Comparisons {
		cm := &m.Comparisons[c]
		cm.table = cm.logs()
	}
}

func logFixed(p float64) int32 {
	return int32(record.WeightOfBits(math.Log2(max(p, 1e-12))))
}

// logs returns the fixed-point log2 of the joint probability of the vector
// with each class.
func (w *Weights) logs(v *comparison.Vector) [MaxKinds + 1]int32 {
	sum := w.base
	for c, level := range v {
		if level == 0 {
			continue
		}
		t := &w.table[c][level]
		for k := range sum {
			sum[k] += t[k]
		}
	}
	return sum
}

// OfPair returns the match weight of a pair with that comparison vector.
func (w *Weights) OfPair(pair record.Pair, v *comparison.Vector) record.Weight {
	return w.Of(v) + w.adjust.Of(pair, v)
}

// Of returns the match weight of a comparison vector, term frequencies apart.
func (w *Weights) Of(v *comparison.Vector) record.Weight {
	sum := w.logs(v)
	return record.Weight(sum[0] - w.nonMatch(&sum))
}

// nonMatch returns log2 Σ_{k≥1} 2^L_k in fixed point.
func (w *Weights) nonMatch(sum *[MaxKinds + 1]int32) int32 {
	total := sum[1]
	for k := 2; k <= w.kinds; k++ {
		total = addLogs(total, sum[k])
	}
	return total
}

// addLogs returns log2(2^a + 2^b) in units of 1/1024 bit.
func addLogs(a, b int32) int32 {
	if a < b {
		a, b = b, a
	}
	if d := a - b; int(d) < len(addTable) {
		return a + int32(addTable[d])
	}
	return a
}

// addTable[d] is log2(1 + 2^(−d/1024)) in units of 1/1024 bit; beyond its end
// it is 0.
var addTable = func() (t [12 << 10]uint16) {
	for d := range t {
		t[d] = uint16(math.Round(1024 * math.Log2(1+math.Exp2(-float64(d)/1024))))
	}
	return t
}()
