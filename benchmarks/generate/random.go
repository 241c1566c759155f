package generate

import "math/bits"

// golden is the increment of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
const golden = 0x9e3779b97f4a7c15

// mix is the finaliser of SplitMix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// A stream is a SplitMix64 sequence. Its start is a hash of what it is for.
type stream struct{ state uint64 }

// newStream returns the stream of one purpose of one household. The parts a and
// b say which member, source or running number it is for.
func newStream(seed, household uint64, p purpose, a, b int) stream {
	key := uint64(p)<<32 | uint64(a)<<16 | uint64(b)
	return stream{mix(mix(seed+golden*key) + golden*(household+1))}
}

// next returns 64 random bits.
func (r *stream) next() uint64 {
	r.state += golden
	return mix(r.state)
}

// below returns a number in [0, n), n > 0. The bias is below n/2^64.
func (r *stream) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.next(), n)
	return hi
}

// int returns a number in [0, n), n > 0.
func (r *stream) int(n int) int { return int(r.below(uint64(n))) }

// float returns a number in [0, 1).
func (r *stream) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// chance is true with probability p.
func (r *stream) chance(p float64) bool { return r.float() < p }

// weighted returns an index with probability proportional to its weight.
func (r *stream) weighted(weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	x := r.float() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// bell returns a number of mean 0 and standard deviation 1, close to normal
// (sum of four uniform numbers) and never beyond 3.5.
func (r *stream) bell() float64 {
	s := r.float() + r.float() + r.float() + r.float()
	return (s - 2) * 1.7320508075688772
}

// permute maps x of [0, n) to another number of [0, n), one to one: a balanced
// Feistel network of four rounds over the next even number of bits, walked
// until the value falls below n (Black and Rogaway, CT-RSA 2002).
func permute(x, n, key uint64) uint64 {
	if n < 2 {
		return x
	}
	half := uint(bits.Len64(n-1)+1) / 2
	mask := uint64(1)<<half - 1
	for {
		l, r := x>>half, x&mask
		for round := uint64(1); round <= 4; round++ {
			l, r = r, l^(mix(key+round*golden+r)&mask)
		}
		if x = l<<half | r; x < n {
			return x
		}
	}
}

// purpose is what a stream is for.
type purpose uint16

const (
	forHousehold purpose = iota + 1
	forPresence
	forNames
	forMarriage
	forMoves
	forAddress
	forContact
	forSharing
	forEmail
	forCar
	forBusiness
	forRecord
	forPermutation
)
