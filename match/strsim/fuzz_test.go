package strsim

import "testing"

// maxFuzzed bounds the strings given to the references, which take the square
// and more of the length.
const maxFuzzed = 200

func seeds(f *testing.F) {
	for _, pair := range [][2]string{
		{"", ""}, {"", "a"}, {"martha", "marhta"}, {"ca", "abc"}, {"ab", "ba"}, {"jürgen", "juergen"},
		{"\xff\xfe", "\uFFFD"}, {"字日本", "日字本"}, {"a\x00b", "ab\x00"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	} {
		f.Add(pair[0], pair[1])
	}
}

func FuzzJaroWinkler(f *testing.F) {
	seeds(f)
	m := NewMatcher("")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxFuzzed || len(b) > maxFuzzed {
			t.Skip()
		}
		checkJaro(t, m, a, b)
		checkSignature(t, m, a, b)
	})
}

func FuzzLevenshtein(f *testing.F) {
	seeds(f)
	m := NewMatcher("")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxFuzzed || len(b) > maxFuzzed {
			t.Skip()
		}
		checkLevenshtein(t, m, a, b)
	})
}

func FuzzOSA(f *testing.F) {
	seeds(f)
	m := NewMatcher("")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxFuzzed || len(b) > maxFuzzed {
			t.Skip()
		}
		checkOSA(t, m, a, b)
	})
}

func FuzzDamerauLevenshtein(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 30 || len(b) > 30 {
			t.Skip()
		}
		checkDamerau(t, a, b)
	})
}
