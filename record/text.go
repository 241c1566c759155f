package record

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrTooMuchText says that the distinct values of one column hold more than
// 4 GiB of text.
var ErrTooMuchText = errors.New("the values of one column hold more than 4 GiB of text")

// Strings is an immutable list of strings in one block of memory: 4 bytes a
// string beside its text.
type Strings struct {
	ends []uint32
	text string
}

// Len returns the number of strings.
func (s *Strings) Len() int { return len(s.ends) }

// At returns string i without copying.
func (s *Strings) At(i uint32) string {
	var start uint32
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.text[start:s.ends[i]]
}

// StringsFrom returns the list whose string i is text[ends[i-1]:ends[i]], the
// first beginning at 0: what Parts returned. Neither is copied, so neither may
// change. Ends that descend, or do not end with the text, are an error.
func StringsFrom(ends []uint32, text string) (Strings, error) {
	var last uint32
	for i, end := range ends {
		if end < last {
			return Strings{}, fmt.Errorf("string %d ends at byte %d, before it begins at %d", i, end, last)
		}
		last = end
	}
	if uint64(last) != uint64(len(text)) {
		return Strings{}, fmt.Errorf("the last of %d strings ends at byte %d of a text of %d", len(ends), last, len(text))
	}
	return Strings{ends, text}, nil
}

// Parts returns where each string ends in the text of all of them, without
// copying: what StringsFrom takes. The slice must not be changed.
func (s *Strings) Parts() (ends []uint32, text string) { return s.ends, s.text }

// Bytes returns the memory held.
func (s *Strings) Bytes() int { return 4*cap(s.ends) + len(s.text) }

// StringsBuilder collects strings for a [Strings]. The zero value is ready.
type StringsBuilder struct {
	ends []uint32
	text []byte
}

// Grow makes room for n more strings of size bytes in all.
func (b *StringsBuilder) Grow(n, size int) {
	b.ends = append(make([]uint32, 0, len(b.ends)+n), b.ends...)
	b.text = append(make([]byte, 0, len(b.text)+size), b.text...)
}

// Append adds s and returns its index, or ErrTooMuchText.
func (b *StringsBuilder) Append(s string) (uint32, error) {
	if len(b.text)+len(s) > math.MaxUint32 {
		return 0, ErrTooMuchText
	}
	b.text = append(b.text, s...)
	b.ends = append(b.ends, uint32(len(b.text)))
	return uint32(len(b.ends) - 1), nil
}

// Len returns the number of strings so far.
func (b *StringsBuilder) Len() int { return len(b.ends) }

// Build returns the list; the builder must not be used afterwards.
func (b *StringsBuilder) Build() Strings {
	return Strings{ends: b.ends, text: string(b.text)}
}

// Interner gives equal strings one code. Code 0 is the empty string, which
// stands for null. The zero value is ready.
type Interner struct {
	list  []string
	codes map[string]uint32 // of list; nil while that is short
	bytes int
}

// shortList is how many strings are looked through one by one.
const shortList = 8

// Code returns the code of s, giving it the next free one at first sight.
func (in *Interner) Code(s string) uint32 {
	if s == "" {
		return 0
	}
	if in.codes != nil {
		if code, ok := in.codes[s]; ok {
			return code
		}
	} else if i := slices.Index(in.list, s); i >= 0 {
		return uint32(i)
	}
	return in.add(strings.Clone(s)) // s may be a slice of a whole page or file
}

func (in *Interner) add(s string) uint32 {
	if len(in.list) == 0 {
		in.list = append(in.list, "")
	}
	code := uint32(len(in.list))
	in.list = append(in.list, s)
	in.bytes += len(s)
	switch {
	case in.codes != nil:
		in.codes[s] = code
	case len(in.list) > shortList:
		in.codes = make(map[string]uint32, 2*len(in.list))
		for code, s := range in.list[1:] {
			in.codes[s] = uint32(code + 1)
		}
	}
	return code
}

// Len returns the number of codes given, the null code included.
func (in *Interner) Len() int { return max(1, len(in.list)) }

// Strings returns the texts by code.
func (in *Interner) Strings() (Strings, error) {
	var b StringsBuilder
	b.Grow(in.Len(), in.bytes)
	if len(in.list) == 0 {
		_, err := b.Append("")
		return b.Build(), err
	}
	for _, s := range in.list {
		if _, err := b.Append(s); err != nil {
			return Strings{}, err
		}
	}
	return b.Build(), nil
}
