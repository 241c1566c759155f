package columns

import "math/bits"

// places numbers the values of one chunk in order of first appearance: an
// array where the values are few, else an open-addressing table no larger than
// the chunk, so that it stays in the cache however large the table's column.
type places struct {
	direct []uint32 // value → place+1
	keys   []uint32 // hashed value → value+1
	at     []uint32 // hashed value → place
	shift  int      // 0: direct
}

// reset forgets everything and makes ready for n entries over that many
// values.
func (p *places) reset(values, n int) {
	if values <= 2*n+1024 {
		p.shift = 0
		p.direct = cleared(p.direct, values)
		return
	}
	width := bits.Len(uint(2*n + 1))
	p.shift = 32 - width
	p.keys = cleared(p.keys, 1<<width)
	if len(p.at) < 1<<width {
		p.at = make([]uint32, 1<<width)
	}
}

// cleared returns a slice of n zeros, s itself if it is large enough.
func cleared(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// of returns the place of value v, giving it place next at first sight.
func (p *places) of(v, next uint32) (place uint32, isNew bool) {
	if p.shift == 0 {
		if place := p.direct[v]; place > 0 {
			return place - 1, false
		}
		p.direct[v] = next + 1
		return next, true
	}
	// Fibonacci hashing: the upper bits of a product with 2^32/φ.
	for i := (v * 2654435769) >> p.shift; ; i = (i + 1) & uint32(len(p.keys)-1) {
		switch p.keys[i] {
		case v + 1:
			return p.at[i], false
		case 0:
			p.keys[i] = v + 1
			p.at[i] = next
			return next, true
		}
	}
}
