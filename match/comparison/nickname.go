package comparison

import (
	_ "embed" // the lists of short forms
	"iter"
	"slices"
	"strings"
	"sync"
)

// The lists of given names and their short forms. Sources and licences are in
// the head of each file:
//
//	nickname_en.txt  carltonnorthern/nicknames (Apache License 2.0) and
//	                 onyxrev/common_nickname_csv (public domain)
//	nickname_fi.txt  written by hand for sama
//	nickname_de.txt  written by hand for sama
//	nickname_sv.txt  written by hand for sama
//
// A line is a full name and its short forms, "william bill will liam+", in
// lower case and ASCII. A "+" marks a short form that is a name in its own
// right; a name that begins a line is one as well. Lines that begin with "#"
// are comments.
var (
	//go:embed nickname_en.txt
	nicknamesEnglish string
	//go:embed nickname_fi.txt
	nicknamesFinnish string
	//go:embed nickname_de.txt
	nicknamesGerman string
	//go:embed nickname_sv.txt
	nicknamesSwedish string
)

// Nickname reports whether the given names a and b, in lower case and ASCII,
// are related as [NicknameSet.Related] says by the built-in lists.
func Nickname(a, b string) bool { return Nicknames().Related(a, b) }

// Nicknames returns the set of the built-in English, Finnish, German and
// Swedish lists. It is made at the first call.
func Nicknames() *NicknameSet { return builtinNicknames() }

var builtinNicknames = sync.OnceValue(func() *NicknameSet {
	return newNicknameSet(nicknamesEnglish, nicknamesFinnish, nicknamesGerman, nicknamesSwedish)
})

// NicknameSet knows which given names are short forms of which. It is immutable
// and may be shared.
type NicknameSet struct {
	codes   map[string]uint16 // name → code, from 1 on
	start   []uint32          // code → first of related; start[code+1] is the end
	related []uint16          // codes related to a name, ascending
}

// Related reports whether one of a and b is a known short form of the other
// ("bill" and "william"), or both are short forms of one full name ("bessie"
// and "betty") and at least one of them is no name in its own right: Jussi and
// Hannu, both of Johannes, are two people's names more often than one's.
// The names are single words in lower case and ASCII. A name is not related to
// itself.
func (s *NicknameSet) Related(a, b string) bool {
	x := s.codes[a]
	return x != 0 && s.RelatedCodes(x, s.codes[b])
}

// Code returns the code of a name, 0 if the set does not have it: for callers
// that look up each distinct name once and compare many pairs.
func (s *NicknameSet) Code(name string) uint16 { return s.codes[name] }

// RelatedCodes is Related on codes; code 0 is related to nothing.
func (s *NicknameSet) RelatedCodes(x, y uint16) bool {
	if x == 0 || y == 0 {
		return false
	}
	for _, z := range s.related[s.start[x]:s.start[x+1]] {
		if z >= y {
			return z == y
		}
	}
	return false
}

// Len returns the number of names in the set.
func (s *NicknameSet) Len() int { return len(s.codes) }

// newNicknameSet builds the set of some lists.
func newNicknameSet(lists ...string) *NicknameSet {
	s := &NicknameSet{codes: make(map[string]uint16, 1<<12)}
	own := []bool{false} // code → a name in its own right
	var words []uint16   // the lines' codes, one line after the other
	var ends []int
	for _, list := range lists {
		for line := range nicknameLines(list) {
			first := true
			for word := range strings.FieldsSeq(line) {
				name, marked := strings.CutSuffix(word, "+")
				code := s.codes[name]
				if code == 0 {
					code = uint16(len(own))
					s.codes[name] = code
					own = append(own, false)
				}
				own[code] = own[code] || marked || first
				words = append(words, code)
				first = false
			}
			ends = append(ends, len(words))
		}
	}
	related := make([][]uint16, len(own))
	begin := 0
	for _, end := range ends {
		line := words[begin:end]
		begin = end
		for i, x := range line {
			for _, y := range line[i+1:] {
				if x != y && (i == 0 || !own[x] || !own[y]) {
					related[x] = append(related[x], y)
					related[y] = append(related[y], x)
				}
			}
		}
	}
	s.start = append(s.start, 0)
	for _, names := range related {
		slices.Sort(names)
		s.related = append(s.related, slices.Compact(names)...)
		s.start = append(s.start, uint32(len(s.related)))
	}
	return s
}

// nicknameLines yields the lines of a list that hold names.
func nicknameLines(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(list) {
			if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
				continue
			}
			if !yield(line) {
				return
			}
		}
	}
}
