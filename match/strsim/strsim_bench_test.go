package strsim

import (
	"strings"
	"testing"

	"github.com/antzucaro/matchr"
)

// benchSets are benchPairs pairs each of unrelated values ("names", "streets") and
// of values with one edit ("typos", "streettypos"), ASCII but for "accents".
func benchSets(b *testing.B) map[string][][2]string {
	p := newPairs(b, 99)
	var ascii, accents, streets []string
	for _, name := range p.names {
		switch {
		case !isASCII(name):
			accents = append(accents, name)
		case len(name) > 2 && len(name) <= 16:
			ascii = append(ascii, name)
		}
		if isASCII(name) && len(name) >= 8 {
			streets = append(streets, name+" 12 b "+name)
		}
	}
	draw := func(from []string, typo bool) [][2]string {
		set := make([][2]string, benchPairs)
		for i := range set {
			set[i][0] = from[p.rnd.IntN(len(from))]
			set[i][1] = from[p.rnd.IntN(len(from))]
			if typo {
				set[i][1] = p.edit(set[i][0], 1, []rune("abcdefghijklmnopqrstuvwxyz"))
			}
		}
		return set
	}
	return map[string][][2]string{
		"names": draw(ascii, false), "typos": draw(ascii, true), "accents": draw(accents, false),
		"streets": draw(streets, false), "streettypos": draw(streets, true),
	}
}

// benchPairs is too many for a branch predictor to learn by heart.
const benchPairs = 1 << 14

var setNames = strings.Fields("names typos accents streets streettypos")

// each runs f, whose result keeps the compiler from dropping the call, over
// the pairs of each set.
func each[R float64 | int | bool](b *testing.B, f func(a, b string) R) {
	sets := benchSets(b)
	for _, name := range setNames {
		set := sets[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				pair := &set[i&(benchPairs-1)]
				f(pair[0], pair[1])
				i++
			}
		})
	}
}

func BenchmarkJaroWinkler(b *testing.B) { each(b, JaroWinkler) }
func BenchmarkJaroWinklerMatchr(b *testing.B) {
	each(b, func(x, y string) float64 { return matchr.JaroWinkler(x, y, false) })
}
func BenchmarkLevenshtein(b *testing.B)       { each(b, Levenshtein) }
func BenchmarkLevenshteinMatchr(b *testing.B) { each(b, matchr.Levenshtein) }
func BenchmarkOSA(b *testing.B)               { each(b, OSA) }
func BenchmarkOSAWithin1(b *testing.B) {
	each(b, func(x, y string) bool { return OSAWithin(x, y, 1) })
}
func BenchmarkOSAWithin2(b *testing.B) {
	each(b, func(x, y string) bool { return OSAWithin(x, y, 2) })
}
func BenchmarkOSAMatchr(b *testing.B)                { each(b, matchr.OSA) }
func BenchmarkDamerauLevenshtein(b *testing.B)       { each(b, DamerauLevenshtein) }
func BenchmarkDamerauLevenshteinMatchr(b *testing.B) { each(b, matchr.DamerauLevenshtein) }

// BenchmarkOneAgainstMany compares one name with many, per pair.
func BenchmarkOneAgainstMany(b *testing.B) {
	set := benchSets(b)["names"]
	sigs := make([]Sig, len(set))
	for i := range set {
		sigs[i] = Signature(set[i][1])
	}
	cut := NewJaroWinklerCut(0.88)
	for name, f := range map[string]func(m *Matcher, s string, sig Sig) bool{
		"JaroWinkler":    func(m *Matcher, s string, _ Sig) bool { return m.JaroWinkler(s) >= 0.88 },
		"JaroWinklerCut": func(m *Matcher, s string, sig Sig) bool { return m.JaroWinklerReaches(s, sig, cut) },
		"JaroWinklerAtLeast": func(m *Matcher, s string, sig Sig) bool {
			return JaroWinklerAtLeast(m.a, s, m.sig, sig, 0.88)
		},
		"OSA":       func(m *Matcher, s string, _ Sig) bool { return m.OSA(s) <= 2 },
		"OSAWithin": func(m *Matcher, s string, sig Sig) bool { return m.OSAWithinSig(s, sig, 2) },
	} {
		b.Run(name, func(b *testing.B) {
			m := NewMatcher("")
			i := 0
			for b.Loop() {
				if i&(benchPairs-1) == 0 {
					m.Reset(set[i/benchPairs&(benchPairs-1)][0])
				}
				f(m, set[i&(benchPairs-1)][1], sigs[i&(benchPairs-1)])
				i++
			}
		})
	}
}

func BenchmarkSignature(b *testing.B) {
	set := benchSets(b)["names"]
	i := 0
	for b.Loop() {
		Signature(set[i&(benchPairs-1)][0])
		i++
	}
}
