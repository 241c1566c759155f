package record

import "math"

// Weight is a match weight: log2 of the odds that two records mean the same
// person, in units of 1/1024 bit. Weights are fixed-point so that a sum does
// not depend on the order of its terms.
type Weight int32

// WeightUnit is one bit of evidence.
const WeightUnit Weight = 1024

// Bits returns the weight in bits.
func (w Weight) Bits() float64 { return float64(w) / float64(WeightUnit) }

// Probability returns the probability of a match, 1/(1+2^−w).
func (w Weight) Probability() float64 { return 1 / (1 + math.Exp2(-w.Bits())) }

// WeightOfBits returns the weight nearest to that many bits, held within ±1000.
func WeightOfBits(bits float64) Weight {
	return Weight(math.Round(max(-1000, min(1000, bits)) * float64(WeightUnit)))
}

// WeightOfProbability returns the weight whose probability is p.
func WeightOfProbability(p float64) Weight { return WeightOfBits(math.Log2(p / (1 - p))) }

// Pair is two different records, A < B.
type Pair struct{ A, B uint32 }

// Edge is a scored pair.
type Edge struct {
	A, B   uint32 // A < B
	Weight Weight
}
