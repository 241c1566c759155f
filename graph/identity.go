package graph

import (
	"fmt"
	"strings"

	"sama/record"
)

// IdentityID names an identity for ever. It holds nothing of the records' content:
//
//	run number 20 bits │ permuted counter 40 bits
//	     4 characters  │    8 characters           + 1 check character
//
// written in Crockford's base 32 (https://www.crockford.com/base32.html), lower
// case. Ids sort by the run that made them, as numbers and as text alike;
// within a run they look random. 0 is no id.
//
// The check character makes Σ αⁱ·cᵢ = 0 over the 13 characters, as elements of
// GF(2⁵) modulo x⁵+x²+1 with α = x. Every single wrong character and every
// exchange of two characters breaks that sum.
type IdentityID uint64

const (
	idLength    = 13
	runBits     = 20
	counterBits = 40
	halfMask    = 1<<(counterBits/2) - 1

	// MaxRun is the greatest run number that an id can hold: enough for an
	// hourly run over 119 years.
	MaxRun = 1<<runBits - 1
)

const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// Issuer makes the ids of one run. Two issuers with the same fields make the
// same ids; two with different runs never share one.
type Issuer struct {
	Run  uint32 // 1 to MaxRun; a run's number is never used twice
	Seed uint64 // orders the ids of the run among themselves
}

// Validate returns what is wrong with the issuer, or nil.
func (is Issuer) Validate() error {
	if is.Run == 0 || is.Run > MaxRun {
		return fmt.Errorf("identity ids: run number %d; it must be 1 to %d", is.Run, MaxRun)
	}
	return nil
}

// ID returns the n-th id of the run, counted from 0; n is below 2⁴⁰.
func (is Issuer) ID(n uint64) IdentityID {
	return IdentityID(uint64(is.Run)<<counterBits | is.permute(n))
}

// NewIDs returns the first count ids of a run.
func NewIDs(run uint32, seed uint64, count int) ([]IdentityID, error) {
	is := Issuer{run, seed}
	if err := is.Validate(); err != nil {
		return nil, err
	}
	ids := make([]IdentityID, count)
	for n := range ids {
		ids[n] = is.ID(uint64(n))
	}
	return ids, nil
}

// permute maps the numbers below 2⁴⁰ onto themselves: a Feistel network of six
// rounds on two halves of 20 bits, its round function the finaliser of
// SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014).
func (is Issuer) permute(n uint64) uint64 {
	left, right := n>>(counterBits/2)&halfMask, n&halfMask
	key := mix(is.Seed ^ uint64(is.Run)<<counterBits)
	for round := range uint64(6) {
		left, right = right, left^mix(key+round<<counterBits+right)&halfMask
	}
	return left<<(counterBits/2) | right
}

// mix is one step of SplitMix64.
func mix(x uint64) uint64 { return record.Stir(x + 0x9e3779b97f4a7c15) }

// Run returns the number of the run that made the id.
func (id IdentityID) Run() uint32 { return uint32(id >> counterBits) }

// String returns the id's 13 characters.
func (id IdentityID) String() string {
	b := id.append(make([]byte, 0, idLength))
	return string(b)
}

func (id IdentityID) append(b []byte) []byte {
	var check byte
	for i := range idLength - 1 {
		c := byte(id>>(5*(idLength-2-i))) & 31
		b = append(b, idAlphabet[c])
		check ^= times(c, idLength-1-i)
	}
	return append(b, idAlphabet[check])
}

// times returns c·αⁿ in GF(2⁵).
func times(c byte, n int) byte {
	for range n {
		c <<= 1
		if c&32 != 0 {
			c ^= 0b100101
		}
	}
	return c
}

// ParseIdentityID reads an id and refuses one that no run can have made or
// that was mistyped. Upper case is read as lower case, and, as Crockford has it,
// o as 0, and i and l as 1.
func ParseIdentityID(s string) (IdentityID, error) {
	if len(s) != idLength {
		return 0, fmt.Errorf("identity id %q has %d characters; an id has %d", s, len(s), idLength)
	}
	var id IdentityID
	var sum byte
	for i := range idLength {
		c, ok := idDigit(s[i])
		if !ok {
			return 0, fmt.Errorf("identity id %q: character %d cannot be in an id", s, i+1)
		}
		sum ^= times(c, idLength-1-i)
		if i < idLength-1 {
			id = id<<5 | IdentityID(c)
		}
	}
	if sum != 0 {
		return 0, fmt.Errorf("identity id %q is mistyped: its last character does not fit the others", s)
	}
	if id.Run() == 0 {
		return 0, fmt.Errorf("identity id %q was never issued", s)
	}
	return id, nil
}

func idDigit(c byte) (byte, bool) {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	switch c {
	case 'o':
		c = '0'
	case 'i', 'l':
		c = '1'
	}
	v := strings.IndexByte(idAlphabet, c)
	return byte(v), v >= 0
}

// MarshalText implements encoding.TextMarshaler.
func (id IdentityID) MarshalText() ([]byte, error) {
	return id.append(make([]byte, 0, idLength)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *IdentityID) UnmarshalText(text []byte) error {
	v, err := ParseIdentityID(string(text))
	if err != nil {
		return err
	}
	*id = v
	return nil
}
